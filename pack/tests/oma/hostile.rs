//! What strangers send, to the server and to the device: an error status, never a crash, and nothing that an old message could win.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealift::device::{Error, Wish};
use sealift::oma::auth::Secret;
use sealift::oma::dm::{
    Alert, Challenge, Command, CommandName, Credentials, Data, DeviceInformation, Edit, Encoding, Exec, Group, Header, Item, Location, Message, Meta, Status,
    client_initialisation, code,
};
use sealift::oma::xml::Limits;
use sealift::oma::{auth, notification};
use sealift::serve::MAX_MESSAGE_BYTES;

use crate::support::{Odd, OddServer, Trial, campaign, get, request};

const ID: &str = "SIM:x";

fn initialisation(session: &str, number: u32, credentials: Option<Credentials>) -> Message {
    let mut header = Header::new(session, number, "http://h/dm", ID);
    header.source = Location { uri: ID.into(), name: Some(ID.into()) };
    header.credentials = credentials;
    let device = DeviceInformation { device_id: ID.into(), manufacturer: "m".into(), model: "o".into(), client_version: "1".into(), language: "en".into() };
    client_initialisation(header, false, &device, Vec::new())
}

fn post(trial: &Trial, encoding: Encoding, body: &[u8]) -> (u16, Option<Message>) {
    let (status, _, answer) = request(&trial.url(), "POST", &[("Content-Type", encoding.content_type())], body);
    (status, Message::decode(&answer, encoding, &Limits::MESSAGE).ok())
}

fn send(trial: &Trial, message: &Message) -> Message {
    let (status, answer) = post(trial, Encoding::Xml, &message.encode(Encoding::Xml).unwrap());
    assert_eq!(status, 200);
    answer.unwrap()
}

fn header_status(message: &Message) -> &Status {
    message
        .commands
        .iter()
        .find_map(|command| if let Command::Status(status) = command { Some(status).filter(|s| s.command == CommandName::SyncHdr) } else { None })
        .unwrap()
}

fn nonce(status: &Status) -> Vec<u8> {
    status.challenge.as_ref().unwrap().next_nonce.clone().unwrap()
}

fn is_alive(trial: &Trial) {
    assert_eq!(get(&format!("{}/status.json", trial.server.url())).0, 200);
}

#[test]
fn messages_that_are_none_get_a_status() {
    let trial = Trial::one(|_| {});
    let good = String::from_utf8(initialisation("1", 1, None).encode(Encoding::Xml).unwrap()).unwrap();
    let bomb = format!("<!DOCTYPE SyncML [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}", "x".repeat(100), good.replace("<MsgID>1", "<MsgID>&b;"));
    for (what, body, http, dm) in [
        ("nothing", String::new(), 400, 400),
        ("text", "hello".into(), 400, 400),
        ("unknown name space", good.replace("SYNCML:SYNCML1.2", "urn:else"), 400, 400),
        ("an older document type", good.replace("<VerDTD>1.2", "<VerDTD>1.1"), 400, 505),
        ("another protocol", good.replace("DM/1.2", "DS/1.2"), 400, 513),
        ("an entity bomb", bomb, 400, 400),
        ("no number", good.replace("<MsgID>1</MsgID>", ""), 400, 400),
        ("a number twice", good.replace("<CmdID>2", "<CmdID>1"), 400, 400),
        ("deep", format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000)), 400, 400),
        ("an id that is none", good.replace(ID, "a b\u{e4}"), 400, 400),
        ("too long", format!("{good}{}", " ".repeat(MAX_MESSAGE_BYTES as usize)), 413, 413),
    ] {
        let (status, answer) = post(&trial, Encoding::Xml, body.as_bytes());
        assert_eq!(status, http, "{what}");
        assert_eq!(header_status(&answer.unwrap()).code, dm, "{what}");
    }
    assert_eq!(request(&trial.url(), "POST", &[("Content-Type", "text/xml")], good.as_bytes()).0, 415);
    assert_eq!(request(&trial.url(), "POST", &[], good.as_bytes()).0, 415);
    is_alive(&trial);
}

#[test]
fn every_truncation_and_many_changes() {
    let trial = Trial::one(|_| {});
    let mut random = 1u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize
    };
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let good = initialisation("1", 1, Some(Credentials::md5(&Secret::new(ID, "trial"), b"n"))).encode(encoding).unwrap();
        let body = |bytes: &[u8]| {
            let (status, _) = post(&trial, encoding, bytes);
            assert!([200, 400, 413].contains(&status), "{status}");
        };
        for length in (0..good.len()).step_by(7) {
            assert_eq!(post(&trial, encoding, &good[..length]).0, 400, "{length}");
        }
        for _ in 0..150 {
            let mut changed = good.clone();
            for _ in 0..1 + next() % 4 {
                let at = next() % changed.len();
                match next() % 3 {
                    0 => changed[at] = next() as u8,
                    1 => drop(changed.remove(at)),
                    _ => changed.insert(at, next() as u8),
                }
            }
            body(&changed);
        }
    }
    is_alive(&trial);
}

#[test]
fn credentials_count_once() {
    let trial = Trial::one(|_| {});
    let secret = Secret::new(ID, "trial");
    let answer = send(&trial, &initialisation("1", 1, None));
    assert_eq!(header_status(&answer).code, 407);
    let first = nonce(header_status(&answer));
    let login = initialisation("1", 2, Some(Credentials::md5(&secret, &first)));
    let answer = send(&trial, &login);
    assert_eq!(header_status(&answer).code, 212);
    // The very same message is known again, and answered alike: the connection may have broken.
    assert_eq!(send(&trial, &login), answer);
    // The same credentials in another session are worth nothing, and so are wrong ones; and every refusal brings another nonce.
    let replayed = send(&trial, &initialisation("2", 1, Some(Credentials::md5(&secret, &first))));
    assert_eq!(header_status(&replayed).code, 401);
    let wrong = send(&trial, &initialisation("2", 2, Some(Credentials::md5(&Secret::new(ID, "guess"), &nonce(header_status(&replayed))))));
    assert_eq!(header_status(&wrong).code, 401);
    assert_ne!(nonce(header_status(&wrong)), nonce(header_status(&replayed)));
    let basic = send(&trial, &initialisation("2", 3, Some(Credentials::basic(ID, "trial"))));
    assert_eq!(header_status(&basic).code, 401, "the password in the clear is not taken");
    assert!(header_status(&basic).challenge.is_none(), "three times is enough");
    // Nobody has learned anything: not one command was given to anybody who had not shown who it is.
    for answer in [&replayed, &wrong, &basic] {
        assert!(answer.commands.iter().all(|command| matches!(command, Command::Status(_))));
    }
}

#[test]
fn commands_that_a_device_may_not_give() {
    let trial = Trial::one(|_| {});
    let answer = send(&trial, &initialisation("1", 1, None));
    let secret = Secret::new(ID, "trial");
    let mut message = initialisation("1", 2, Some(Credentials::md5(&secret, &nonce(header_status(&answer)))));
    message.commands.extend([
        Command::Exec(Exec::new(11, "./FUMO/Sealift/Update", None)),
        Command::Get(Edit::new(12, Item::target("./DevInfo"))),
        Command::Replace(Edit::new(13, Item::source("./DevInfo/DevId").with_text("chr", "text/plain", "SIM:other"))),
        Command::Alert(Alert { id: 14, code: code::GENERIC, ..Alert::default() }),
        Command::Alert(Alert { id: 15, code: 1999, ..Alert::default() }),
        Command::Sequence(Group { id: 16, commands: vec![Command::Get(Edit::new(17, Item::target(".")))], ..Group::default() }),
    ]);
    let answer = send(&trial, &message);
    let code = |id: u32| {
        answer
            .commands
            .iter()
            .find_map(|command| if let Command::Status(status) = command { Some(status.code).filter(|_| status.command_ref == id) } else { None })
    };
    assert_eq!([11, 12, 14, 15, 16].map(code), [Some(405), Some(405), Some(412), Some(405), Some(405)]);
    assert_eq!(trial.status()["devices"][0]["id"], ID);
}

#[test]
fn an_old_notification_is_worth_nothing() {
    let trial = Trial::new(vec![campaign(|campaign| (campaign.notify, campaign.confirm) = (true, true))]);
    let mut kit = trial.device("x");
    kit.answers = vec!["n"];
    let mut device = kit.open().unwrap();
    let url = format!("{}/push/{ID}", trial.server.url());
    let (status, head, package) = get(&url);
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/vnd.syncml.notification"), "{head}");
    assert_eq!(device.notified(&package).unwrap().session_id_text(), "1");
    // Cut short, changed, from another server.
    for length in 0..package.len() {
        assert!(device.notified(&package[..length]).is_err(), "{length}");
    }
    for at in 0..package.len() {
        let mut changed = package.clone();
        changed[at] ^= 1;
        assert!(device.notified(&changed).is_err(), "{at}");
    }
    device.run(&Wish::Orders).unwrap();
    assert!(matches!(device.notified(&package), Err(Error::Notification(notification::Error::Digest))), "the nonce has changed");
}

/// A server that challenges, lets in, and then says what a test wants.
fn server(commands: impl Fn(usize, &Message) -> Option<(Vec<Command>, bool)> + Send + 'static) -> OddServer {
    let count = AtomicUsize::new(0);
    OddServer::talking(move |_, _, body| {
        let Ok(message) = Message::decode(body, Encoding::Xml, &Limits::MESSAGE) else { return Odd { status: 400, ..Odd::default() } };
        let own = &message.header;
        let mut status = Status::new(1, own.message_id, 0, CommandName::SyncHdr, 200);
        status.challenge = Some(Challenge { scheme: auth::MD5.into(), next_nonce: Some(vec![7; 16]) });
        let turn = count.fetch_add(1, Ordering::SeqCst);
        let (mut all, is_final) = commands(turn, &message).unwrap_or((Vec::new(), true));
        all.insert(0, Command::Status(status));
        let answer = Message { header: Header::new(&own.session_id, own.message_id, &own.source.uri, &own.target.uri), commands: all, is_final };
        Odd { status: 200, media_type: Encoding::Xml.content_type().into(), body: answer.encode(Encoding::Xml).unwrap(), cut: None }
    })
}

/// The statuses that a device gives to commands, by their numbers, over a whole session; and the alerts that it raises.
fn session(commands: impl Fn(usize, &Message) -> Option<(Vec<Command>, bool)> + Send + 'static) -> (Vec<(u32, u16)>, Vec<u16>) {
    static HEARD: Mutex<()> = Mutex::new(());
    let _one = HEARD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let odd = server(commands);
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("x");
    kit.url = format!("{}/dm", odd.url);
    let mut device = kit.open().unwrap();
    let _ = device.run(&Wish::Orders);
    let (mut statuses, mut alerts) = (Vec::new(), Vec::new());
    for (_, body) in odd.asked.lock().unwrap().iter() {
        let Ok(message) = Message::decode(body.as_bytes(), Encoding::Xml, &Limits::MESSAGE) else { continue };
        for command in message.commands {
            match command {
                Command::Status(status) if status.command_ref != 0 => statuses.push((status.command_ref, status.code)),
                Command::Alert(alert) => alerts.push(alert.code),
                _ => {}
            }
        }
    }
    (statuses, alerts)
}

fn text(uri: &str, value: &str) -> Item {
    Item::target(uri).with_text("chr", "text/plain", value)
}

#[test]
fn the_device_s_answers_to_orders_that_cannot_be_done() {
    let (statuses, _) = session(|turn, _| {
        (turn == 0).then(|| {
            let get = |id, uri| Command::Get(Edit::new(id, Item::target(uri)));
            let replace = |id, uri| Command::Replace(Edit::new(id, text(uri, "x")));
            let exec = |id, uri| Command::Exec(Exec::new(id, uri, None));
            let commands = vec![
                get(10, "./FUMO/Sealift"),
                get(11, "./FUMO/Sealift/Update/PkgData"),
                get(12, "./Nowhere"),
                replace(13, "./DevInfo/DevId"),
                replace(14, "./Nowhere/x"),
                replace(15, "./FUMO/Sealift/Download/PkgURL"),
                exec(16, "./FUMO/Sealift/Update"),
                exec(17, "./FUMO/Sealift"),
                exec(18, "./SCOMO/Download/none/Operations/Download"),
                exec(19, "./SealiftWorkflow/Operations/Start"),
                Command::Delete(Edit::new(20, Item::target("./DevInfo"))),
                Command::Replace(Edit::new(
                    21,
                    Item { data: Some(Data::Text("not base 64!".into())), meta: Meta::new("b64", "a/b"), ..Item::target("./FUMO/Sealift/Update/PkgData") },
                )),
                Command::Add(Edit::new(22, text("./SCOMO/Download/../PkgURL", "x"))),
                Command::Atomic(Group {
                    id: 23,
                    commands: vec![Command::Replace(Edit::new(24, text("./FUMO/Sealift/Download/PkgURL", "http://later"))), replace(25, "./Nowhere/x")],
                    ..Group::default()
                }),
                Command::Atomic(Group { id: 26, commands: vec![get(27, "./DevInfo")], ..Group::default() }),
            ];
            (commands, true)
        })
    });
    let expected = [
        (10, 200),
        (11, 405),
        (12, 404),
        (13, 405),
        (14, 404),
        (15, 200),
        (16, 500),
        (17, 405),
        (18, 404),
        (19, 500),
        (20, 405),
        (21, 415),
        (22, 405),
        (23, 500),
        (24, 215),
        (25, 215),
        (26, 500),
        (27, 215),
    ];
    assert_eq!(statuses, expected);
}

#[test]
fn large_objects_that_are_not_what_they_say() {
    const URI: &str = "./FUMO/Sealift/Update/PkgData";
    let part = |size: Option<u64>, data: &str, more: bool| {
        Command::Replace(Edit::new(
            9,
            Item { meta: Meta { size_bytes: size, ..Meta::new("b64", "a/b") }, data: Some(Data::Text(data.into())), more_data: more, ..Item::target(URI) },
        ))
    };
    let run = |parts: Vec<Command>| {
        session(move |turn, _| {
            let command = parts.get(turn)?;
            let more = matches!(command, Command::Replace(edit) if edit.items[0].more_data);
            Some((vec![command.clone()], !more))
        })
    };
    assert_eq!(run(vec![part(Some(8), "AAAA", true), part(None, "AAAA", false)]).0, [(9, 213), (9, 200)]);
    assert_eq!(run(vec![part(Some(9), "AAAA", true), part(None, "AAAA", false)]).0, [(9, 213), (9, 424)]);
    assert_eq!(run(vec![part(None, "AAAA", true)]).0, [(9, 400)]);
    assert_eq!(run(vec![part(Some(1 << 40), "AAAA", true)]).0, [(9, 413)]);
    // Something else before the end: alert 1225.
    let (statuses, alerts) = run(vec![part(Some(8), "AAAA", true), Command::Exec(Exec::new(9, "./FUMO/Sealift/Update", None))]);
    assert_eq!(statuses, [(9, 213), (9, 500)]);
    assert!(alerts.contains(&code::NO_END_OF_DATA) && alerts.contains(&code::NEXT_MESSAGE), "{alerts:?}");
}

#[test]
fn servers_that_make_no_sense() {
    for body in [&b""[..], b"<SyncML", b"\x03\xa4\x01\x6a", &[b'x'; 2_000_000]] {
        let body = body.to_vec();
        let odd = OddServer::new(move |_, _| Odd { status: 200, media_type: Encoding::Xml.content_type().into(), body: body.clone(), cut: None });
        let trial = Trial::one(|_| {});
        let mut kit = trial.device("x");
        kit.url = format!("{}/dm", odd.url);
        assert!(kit.open().unwrap().run(&Wish::Orders).is_err());
    }
    // One that never lets anybody in, and one that never ends.
    let odd = OddServer::new(|_, _| Odd { status: 500, ..Odd::default() });
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("x");
    kit.url = format!("{}/dm", odd.url);
    assert!(matches!(kit.open().unwrap().run(&Wish::Orders), Err(Error::Network { .. })));
    kit.identity.password = "other".into();
    let mut stranger = trial.device("y");
    stranger.identity.password = "other".into();
    assert!(matches!(stranger.open().unwrap().run(&Wish::Orders), Err(Error::Refused(401))));
}

#[test]
fn who_says_nothing_keeps_nobody_waiting() {
    let trial = Trial::one(|_| {});
    let address = trial.server.address();
    let silent: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let mut half = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut half, b"POST /dm HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: 100\r\n\r\n<Syn")
        .unwrap();
    assert_eq!(trial.device("a").codes(), [200]);
    drop((silent, half));
    // What is no HTTP at all, and a header without end.
    for junk in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[b'x'; 100_000]] {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let _ = std::io::Write::write_all(&mut stream, junk);
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    }
    is_alive(&trial);
}

#[test]
fn sealed_sessions_notice_every_change() {
    let sealed = |change: fn(&mut sealift::serve::Campaign)| Trial::with(vec![campaign(change)], |settings| settings.integrity = true);
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let trial = sealed(|campaign| campaign.delivery = sealift::serve::Delivery::LargeObject);
        let mut kit = trial.device("a");
        (kit.encoding, kit.identity.max_message) = (encoding, 2048);
        assert_eq!(kit.codes(), [200]);
        // And again, with what was agreed in the session before; and with a server that seals, the notification too.
        assert!(kit.run().is_empty());
    }
    // Somebody between them changes one byte of the device's messages, or of the server's, or takes the seal away.
    for (what, error) in [("nothing", None), ("question", Some("401")), ("answer", Some("integrity")), ("seal", Some("integrity"))] {
        let trial = sealed(|_| {});
        let url = trial.url();
        let between = OddServer::sealed(move |path, count, body, seal| {
            if path != "/dm" {
                return (Odd { status: 404, ..Odd::default() }, None);
            }
            let mut body = body.to_vec();
            if what == "question" && count == 3 {
                let at = body.windows(5).position(|window| window == b"<Data").unwrap() + 6;
                body[at] ^= 1;
            }
            let headers: Vec<(&str, &str)> =
                [("Content-Type", Encoding::Xml.content_type())].into_iter().chain(seal.map(|seal| (auth::MAC_HEADER, seal))).collect();
            let (status, head, mut answer) = request(&url, "POST", &headers, &body);
            let theirs = head.lines().find_map(|line| line.strip_prefix("x-syncml-hmac: ")).map(str::to_owned);
            if what == "answer" && count == 3 {
                let at = answer.windows(5).position(|window| window == b"<Data").unwrap() + 6;
                answer[at] ^= 1;
            }
            (Odd { status, media_type: Encoding::Xml.content_type().into(), body: answer, cut: None }, theirs.filter(|_| what != "seal"))
        });
        let mut kit = trial.device("x");
        kit.url = format!("{}/dm", between.url);
        let done = kit.open().unwrap().run(&Wish::Orders);
        match (error, done) {
            (None, Ok(done)) => assert_eq!(done[0].code, 200),
            (Some(part), Err(error)) => assert!(error.to_string().contains(part), "{what}: {error}"),
            (_, other) => panic!("{what}: {other:?}"),
        }
        // Without somebody between them they find together again, whatever was lost.
        kit.url = trial.url();
        assert_eq!(kit.codes(), if error.is_some() { vec![200] } else { Vec::new() }, "{what}");
    }
}
