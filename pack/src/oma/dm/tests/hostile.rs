use proptest::prelude::*;

use super::*;

fn template(body: &str) -> String {
    format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
         <Target><LocURI>a</LocURI></Target><Source><LocURI>b</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    )
}

fn read(text: &str) -> Result<Message, Error> {
    Message::decode(text.as_bytes(), Encoding::Xml, &Limits::MESSAGE)
}

#[test]
fn every_reason_has_its_words() {
    assert!(read(&template("<Alert><CmdID>1</CmdID><Data>1200</Data></Alert><Final/>")).is_ok());
    for (body, reason) in [
        ("<Put><CmdID>1</CmdID></Put>", "`Put` has no place in `SyncBody`"),
        ("<Alert><CmdID>1</CmdID></Alert>", "`Alert` has no `Data`"),
        ("<Alert><CmdID/><Data>1200</Data></Alert>", "`Alert` has no `CmdID`"),
        ("<Alert><CmdID>1</CmdID><CmdID>1</CmdID><Data>1200</Data></Alert>", "`CmdID` occurs twice in `Alert`"),
        ("<Alert><CmdID>-1</CmdID><Data>1200</Data></Alert>", "`CmdID` is `-1`, expected a decimal number in its range"),
        ("<Alert><CmdID>4294967296</CmdID><Data>1200</Data></Alert>", "`CmdID` is `4294967296`, expected a decimal number in its range"),
        ("<Alert><CmdID>1</CmdID><Data>70000</Data></Alert>", "`Data` is `70000`, expected a decimal number in its range"),
        ("<Alert>x<CmdID>1</CmdID><Data>1200</Data></Alert>", "`Alert` holds text, expected elements only"),
        ("<Alert><CmdID><Data/></CmdID><Data>1200</Data></Alert>", "`CmdID` holds something else than text"),
        ("<Alert a='1'><CmdID>1</CmdID><Data>1200</Data></Alert>", "`Alert` has the attribute `a`"),
        (
            "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>Sync</Cmd><Data>200</Data></Status>",
            "`Cmd` is `Sync`, expected the name of a command",
        ),
        ("<Get><CmdID>1</CmdID><Item><Target><LocURI/></Target></Item></Get>", "`Target` has no `LocURI`"),
        ("<Get><CmdID>1</CmdID><Item><Data><Get/></Data></Item></Get>", "`Data` holds something else than text"),
        ("<Get><CmdID>1</CmdID><Item><MoreData>x</MoreData></Item></Get>", "`MoreData` is `x`, expected nothing"),
        ("<Get><CmdID>1</CmdID><Meta><Type>x</Type></Meta><Item/></Get>", "`Type` has no place in `Meta`"),
        ("<Atomic><CmdID>1</CmdID><Status/></Atomic>", "`Status` has no place in `Atomic`"),
        ("<Final/><Final/>", "`Final` occurs twice in `SyncBody`"),
        ("<Final/>", "`SyncBody` has no `command`"),
    ] {
        let error = read(&template(body)).unwrap_err();
        assert_eq!(error.to_string(), reason, "{body}");
        assert_eq!(error.status(), status::BAD_REQUEST);
    }
    let version = template("<Final/>").replace("DM/1.2", "DM/1.3");
    assert_eq!(read(&version).unwrap_err().to_string(), "`VerProto` is `DM/1.3`, expected `DM/1.2`");
}

#[test]
fn bombs_and_strangers() {
    let valid = template("<Alert><CmdID>1</CmdID><Data>1200</Data></Alert>");
    let bomb = format!("<!DOCTYPE SyncML [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>{valid}");
    assert_eq!(read(&bomb), Err(Error::Xml(xml::Error::Declarations)));
    assert!(read(&format!("{DOCUMENT_TYPE}{valid}")).is_ok());
    let stranger = valid.replace("SYNCML1.2", "SYNCML1.1");
    assert!(matches!(read(&stranger), Err(Error::Xml(xml::Error::Namespace { .. }))));
    assert!(matches!(read(&valid.replace(" xmlns='SYNCML:SYNCML1.2'", "")), Err(Error::Xml(xml::Error::Namespace { .. }))));
    let deep = template(&format!("{}{}", "<Sequence>".repeat(1000), "</Sequence>".repeat(1000)));
    assert_eq!(read(&deep).unwrap_err().status(), status::REQUEST_ENTITY_TOO_LARGE);
    let large = template(&format!("<Alert><CmdID>1</CmdID><Data>1200</Data><Item><Data>{}</Data></Item></Alert>", "x".repeat(4 << 20)));
    assert_eq!(read(&large).unwrap_err().status(), status::REQUEST_ENTITY_TOO_LARGE);
}

#[test]
fn what_is_cut_short_is_refused() {
    for (name, message) in every_kind() {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let bytes = message.encode(encoding).unwrap();
            // XML ends with a line feed that nobody misses.
            let end = if encoding == Encoding::Xml { bytes.len() - 1 } else { bytes.len() };
            for length in 0..end {
                assert!(Message::decode(&bytes[..length], encoding, &Limits::MESSAGE).is_err(), "{name}: {length}");
            }
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~äöü€\n\t]{1,20}".prop_map(|text| format!("x{}x", text.trim()))
}

prop_compose! {
    fn any_item()(target in any_text(), source in prop::option::of(any_text()), meta in any::<bool>(), data in prop::option::of(any_text()), more_data in any::<bool>()) -> Item {
        Item {
            target: Some(Location::new(&target)),
            source: source.map(|uri| Location { uri, name: None }),
            meta: if meta { Meta::new("chr", "text/plain") } else { Meta::default() },
            data: data.map(Data::Text),
            more_data,
        }
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    (0..7_u8, prop::collection::vec(any_item(), 1..4), prop::option::of(any_text()), any::<u16>()).prop_map(|(kind, items, correlator, code)| match kind {
        0 => Command::Add(Edit { items, ..Edit::default() }),
        1 => Command::Replace(Edit { items, ..Edit::default() }),
        2 => Command::Get(Edit { items, ..Edit::default() }),
        3 => Command::Alert(Alert { code, correlator, items, ..Alert::default() }),
        4 => Command::Exec(Exec { correlator, items, ..Exec::default() }),
        5 => Command::Status(Status { items, ..Status::new(0, 1, u32::from(code), CommandName::Get, code) }),
        _ => Command::Sequence(Group { commands: vec![Command::Delete(Edit { id: 10_000, items, ..Edit::default() })], ..Group::default() }),
    })
}

fn number(commands: &mut [Command]) {
    for (id, command) in (1..).zip(commands) {
        match command {
            Command::Add(edit) | Command::Replace(edit) | Command::Get(edit) => edit.id = id,
            Command::Alert(alert) => alert.id = id,
            Command::Exec(exec) => exec.id = id,
            Command::Status(status) => status.id = id,
            Command::Sequence(group) => {
                group.id = id;
                if let Some(Command::Delete(edit)) = group.commands.first_mut() {
                    edit.id = id + 1000;
                }
            }
            _ => unreachable!(),
        }
    }
}

proptest! {
    #[test]
    fn any_message_is_read_as_it_was_written(mut commands in prop::collection::vec(any_command(), 1..6), is_final in any::<bool>()) {
        number(&mut commands);
        let message = Message { header: Header::new("FFFF", 3, "a", "b"), commands, is_final };
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let bytes = message.encode(encoding).unwrap();
            prop_assert_eq!(&Message::decode(&bytes, encoding, &Limits::MESSAGE).unwrap(), &message);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::decode(&bytes, Encoding::Wbxml, &Limits::MESSAGE);
        let _ = Message::decode(&bytes, Encoding::Xml, &Limits::MESSAGE);
        let body = [&[3, 0xa4, 1, 0x6a, 0][..], &bytes].concat();
        let _ = Message::decode(&body, Encoding::Wbxml, &Limits::MESSAGE);
    }

    #[test]
    fn any_change_is_read_without_a_panic(kind in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let all = every_kind();
        let message = &all[kind.index(all.len())].1;
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let mut bytes = message.encode(encoding).unwrap();
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Ok(read) = Message::decode(&bytes, encoding, &Limits::MESSAGE) {
                // What is accepted can be written again, unless it holds what XML cannot carry.
                prop_assert!(read.encode(Encoding::Wbxml).is_ok());
            }
        }
    }
}
