/* The commands of the console, one function each. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "console.h"

bool command_alarm(app_t *a, int count, char *words[]);
bool command_calibrate(app_t *a, int count, char *words[]);
bool command_dlms(app_t *a, int count, char *words[]);
bool command_energy(app_t *a, int count, char *words[]);
bool command_eval(app_t *a, int count, char *words[]);
bool command_events(app_t *a, int count, char *words[]);
bool command_forth(app_t *a, int count, char *words[]);
bool command_harmonics(app_t *a, int count, char *words[]);
bool command_hash(app_t *a, int count, char *words[]);
bool command_help(app_t *a, int count, char *words[]);
bool command_modbus(app_t *a, int count, char *words[]);
bool command_page(app_t *a, int count, char *words[]);
bool command_profile(app_t *a, int count, char *words[]);
bool command_quality(app_t *a, int count, char *words[]);
bool command_registers(app_t *a, int count, char *words[]);
bool command_relay(app_t *a, int count, char *words[]);
bool command_report(app_t *a, int count, char *words[]);
bool command_reset(app_t *a, int count, char *words[]);
bool command_run(app_t *a, int count, char *words[]);
bool command_serial(app_t *a, int count, char *words[]);
bool command_source(app_t *a, int count, char *words[]);
bool command_store(app_t *a, int count, char *words[]);
bool command_tasks(app_t *a, int count, char *words[]);
bool command_time(app_t *a, int count, char *words[]);
bool command_values(app_t *a, int count, char *words[]);
bool command_version(app_t *a, int count, char *words[]);

#endif
