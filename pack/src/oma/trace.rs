//! Messages for people: one line a command, what it carries cut short.

use std::fmt::Write as _;

use super::dm::{Alert, Command, Data, Edit, Encoding, Item, Message, code};

/// The longest content that is shown, in characters.
const MAX_CHARACTERS: usize = 100;

/// A message, readably. `way` says from whom to whom, `bytes` how long it was.
#[must_use]
pub fn describe(way: &str, message: &Message, encoding: Encoding, bytes: usize) -> String {
    let form = match encoding {
        Encoding::Xml => "XML",
        Encoding::Wbxml => "WBXML",
    };
    let header = &message.header;
    let mut text =
        format!("{way}: session {}, message {}, {form}, {bytes} bytes, {} -> {}\n", header.session_id, header.message_id, header.source.uri, header.target.uri);
    if let Some(credentials) = &header.credentials {
        let _ = writeln!(text, "    credentials by {}", credentials.scheme);
    }
    message.commands.iter().for_each(|command| line(&mut text, command, 1));
    if message.is_final {
        text.push_str("    end of the package\n");
    }
    text
}

fn line(text: &mut String, command: &Command, depth: usize) {
    let indent = "    ".repeat(depth);
    let id = command.id();
    let name = command.name().as_str();
    let said = match command {
        Command::Add(edit) | Command::Copy(edit) | Command::Delete(edit) | Command::Get(edit) | Command::Replace(edit) => items(edit),
        Command::Alert(alert) => alert_line(alert),
        Command::Exec(exec) => {
            let targets: Vec<String> = exec.items.iter().map(item).collect();
            format!("{}{}", targets.join(", "), correlator(exec.correlator.as_deref()))
        }
        Command::Status(status) => {
            let challenge = status.challenge.as_ref().map(|challenge| format!(", challenge {}", challenge.scheme)).unwrap_or_default();
            let more: Vec<String> = status.items.iter().map(item).collect();
            let of = format!("{} for {} {} of message {}", status.code, status.command.as_str(), status.command_ref, status.message_ref);
            format!("{of}{challenge} {}", more.join(", ")).trim_end().to_owned()
        }
        Command::Results(results) => {
            let found: Vec<String> = results.items.iter().map(item).collect();
            format!("of {}: {}", results.command_ref, found.join(", "))
        }
        Command::Sequence(group) | Command::Atomic(group) => {
            let _ = writeln!(text, "{indent}{id} {name}");
            group.commands.iter().for_each(|inner| line(text, inner, depth + 1));
            return;
        }
    };
    let _ = writeln!(text, "{indent}{id} {name} {said}");
}

fn items(edit: &Edit) -> String {
    let all: Vec<String> = edit.items.iter().map(item).collect();
    all.join(", ")
}

fn item(item: &Item) -> String {
    let uri = item.target.as_ref().or(item.source.as_ref()).map(|location| location.uri.as_str()).unwrap_or_default();
    let content = match &item.data {
        None => return uri.to_owned(),
        Some(Data::Text(text)) if text.chars().count() <= MAX_CHARACTERS => format!("{text:?}"),
        Some(Data::Text(text)) => format!("{} characters", text.chars().count()),
        Some(Data::Bytes(bytes)) => format!("{} bytes", bytes.len()),
        Some(Data::Tree(_)) => "a tree".to_owned(),
    };
    let more = if item.more_data { ", more follows" } else { "" };
    if uri.is_empty() { format!("{content}{more}") } else { format!("{uri} = {content}{more}") }
}

fn alert_line(alert: &Alert) -> String {
    let meaning = match alert.code {
        code::DISPLAY => "show",
        code::CONFIRM => "ask yes or no",
        code::INPUT => "ask for a text",
        code::SINGLE_CHOICE | code::MULTIPLE_CHOICE => "ask to choose",
        code::SERVER_INITIATED => "session asked for by the server",
        code::CLIENT_INITIATED => "session begun by the device",
        code::NEXT_MESSAGE => "next message, please",
        code::SESSION_ABORT => "end of the session, at once",
        code::CLIENT_EVENT => "event in the device",
        code::NO_END_OF_DATA => "a large object was cut short",
        code::GENERIC => "report or request",
        _ => "unknown",
    };
    let kinds: Vec<&str> = alert.items.iter().filter_map(|item| item.meta.media_type.as_deref()).collect();
    let contents: Vec<String> = alert.items.iter().map(item).collect();
    format!("{} ({meaning}) {} {}{}", alert.code, kinds.join(", "), contents.join(", "), correlator(alert.correlator.as_deref())).trim_end().to_owned()
}

fn correlator(correlator: Option<&str>) -> String {
    correlator.map(|text| format!(" [{text}]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oma::dm::{DeviceInformation, Header, client_initialisation};
    use crate::oma::fumo::{Operation, Report, ResultCode};

    #[test]
    fn a_report_can_be_read() {
        let report = Report { source: "./FUMO/x".into(), operation: Operation::Update, result: ResultCode::Success, correlator: Some("c1".into()) };
        let device = DeviceInformation {
            device_id: "SIM:1".into(),
            manufacturer: "m".repeat(200),
            model: "o".into(),
            client_version: "1".into(),
            language: "en".into(),
        };
        let message = client_initialisation(Header::new("1A", 1, "http://h/dm", "SIM:1"), false, &device, vec![report.to_alert(1)]);
        let text = describe("device -> server", &message, Encoding::Xml, 10);
        for part in ["session 1A, message 1, XML, 10 bytes", "1201 (session begun by the device)", "./DevInfo/DevId = \"SIM:1\"", "200 characters", "[c1]"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.lines().count(), 5);
    }
}
