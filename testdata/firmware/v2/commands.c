#include "commands.h"

const command_t commands[] = {
    {"alarm", "[\"expression\"]", "shows or sets the alarm", 1, 2, command_alarm},
    {"calibrate", "u|i|shift PHASE VALUE", "to a reference value in mV or mA", 4, 4, command_calibrate},
    {"dlms", "HEX", "answers a get-request", 2, 2, command_dlms},
    {"energy", "", "energy registers", 1, 1, command_energy},
    {"eval", "\"expression\"", "evaluates an expression", 2, 2, command_eval},
    {"events", "[COUNT]", "newest events first", 1, 2, command_events},
    {"forth", "\"line\"", "interprets a line of Forth", 2, 2, command_forth},
    {"harmonics", "", "spectrum of the current", 1, 1, command_harmonics},
    {"hash", "TEXT", "SHA-256 of a text", 2, 2, command_hash},
    {"help", "[PREFIX]", "this list", 1, 2, command_help},
    {"modbus", "HEX", "answers a request, CRC added", 2, 2, command_modbus},
    {"page", "NUMBER", "draws a page of the display", 2, 2, command_page},
    {"profile", "", "load profile of the day", 1, 1, command_profile},
    {"quality", "", "supply quality", 1, 1, command_quality},
    {"registers", "[CODE]", "OBIS registers", 1, 2, command_registers},
    {"relay", "[on|off|limit WATTS]", "supply relay", 1, 3, command_relay},
    {"report", "[KEY]", "report as JSON, or sealed", 1, 2, command_report},
    {"reset", "", "restarts", 1, 1, command_reset},
    {"run", "SECONDS", "simulates time without waiting", 2, 2, command_run},
    {"serial", "TEXT", "sets the serial number", 2, 2, command_serial},
    {"source", "u|i|lag|noise PHASE VALUE", "changes the simulated mains", 4, 4, command_source},
    {"store", "[KEY [HEX]]", "configuration store", 1, 3, command_store},
    {"tasks", "", "scheduler", 1, 1, command_tasks},
    {"time", "[DATE TIME]", "shows or sets the clock", 1, 3, command_time},
    {"values", "", "measured values", 1, 1, command_values},
    {"version", "", "what is running", 1, 1, command_version},
};

const size_t command_count = ARRAY_LEN(commands);
