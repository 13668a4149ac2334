mod hostile;
mod messages;
mod parts;
mod user;

use super::*;
use crate::oma::auth::Secret;

/// A message of every kind that is written anywhere, with a name.
pub(crate) fn every_kind() -> Vec<(&'static str, Message)> {
    let header = || {
        let mut header = Header::new("1A", 1, "https://dm.example.com/srv", "IMEI:493005100592800");
        header.source.name = Some("Bruce2".into());
        header
    };
    let with = |commands: Vec<Command>| Message { header: header(), commands, is_final: true };
    let device = DeviceInformation {
        device_id: "IMEI:493005100592800".into(),
        manufacturer: "Sealift & Söhne <test>".into(),
        model: "M1".into(),
        client_version: "1.0".into(),
        language: "de".into(),
    };
    let secret = Secret::new("Bruce2", "OhBehave");
    let generic = GenericAlert::new(
        Some("c-1"),
        GenericAlertItem {
            source: Some("./FUMO/x".into()),
            target: Some("./FUMO".into()),
            alert_type: "org.openmobilealliance.dm.firmwareupdate.update".into(),
            format: "int".into(),
            mark: Mark::Critical,
            data: "410".into(),
        },
    );
    let mut all = Vec::new();

    let mut initial = client_initialisation(header(), false, &device, vec![generic.to_alert(0)]);
    initial.header.credentials = Some(Credentials::md5(&secret, b"Nonce"));
    initial.header.meta = Meta { max_message_bytes: Some(5000), max_object_bytes: Some(1 << 20), ..Meta::default() };
    initial.header.response_uri = Some("https://dm.example.com/srv?s=1A&n=2".into());
    all.push(("package 1, client-initiated, md5, generic alert", initial));
    let mut initial = client_initialisation(header(), true, &device, vec![]);
    initial.header.credentials = Some(Credentials::basic("Bruce2", "Oh:Behave"));
    all.push(("package 1, server-initiated, basic", initial));

    for (scheme, code) in [(auth_scheme("MAC"), 200), (auth_scheme("md5"), 401), (auth_scheme("md5"), 407), (auth_scheme("basic"), 401)] {
        let mut answer = Status::new(1, 1, 0, CommandName::SyncHdr, code);
        answer.target_refs.push("https://dm.example.com/srv".into());
        answer.source_refs.push("IMEI:493005100592800".into());
        answer.challenge = Some(Challenge { scheme: scheme.into(), next_nonce: Some(vec![0, 1, 2, 255]) });
        all.push(("status with challenge", with(vec![Command::Status(answer)])));
    }
    let mut answer = Status::new(1, 1, 2, CommandName::Replace, 200);
    answer.credentials = Some(Credentials::md5(&secret, b"x"));
    all.push(("status with credentials", with(vec![Command::Status(answer)])));

    let interactions = [
        Interaction::new(Kind::Display, "Done."),
        Interaction {
            options: Options { min_seconds: Some(10), max_seconds: Some(60), default_response: Some("0".into()), ..Options::default() },
            ..Interaction::new(Kind::Confirm, "Install?")
        },
        Interaction {
            options: Options { max_characters: Some(4), input: Some(Input::Numeric), echo: Some(Echo::Password), ..Options::default() },
            ..Interaction::new(Kind::Input, "PIN")
        },
        Interaction { choices: vec!["now".into(), "later".into()], ..Interaction::new(Kind::SingleChoice, "When?") },
        Interaction { choices: vec!["a".into(), "b".into(), "c".into()], ..Interaction::new(Kind::MultipleChoice, "Which?") },
    ];
    for interaction in interactions {
        all.push(("user interaction", with(vec![Command::Alert(interaction.to_alert(1))])));
    }
    for response in
        [Response::Confirmed, Response::Refused, Response::Entered("1234".into()), Response::Selected(vec![1, 3]), Response::Cancelled, Response::NotExecuted]
    {
        let alert = Alert { id: 7, code: 1101, ..Alert::default() };
        all.push(("answer to user interaction", with(vec![Command::Status(response.to_status(1, 2, &alert))])));
    }
    for code in [code::NEXT_MESSAGE, code::SESSION_ABORT, code::CLIENT_EVENT, code::NO_END_OF_DATA] {
        let items = if code == code::CLIENT_EVENT { vec![Item::text("event")] } else { vec![] };
        all.push(("alert", with(vec![Command::Alert(Alert { id: 1, code, items, ..Alert::default() })])));
    }
    all.push(("next message", next_message(header(), 4)));
    all.push(("abort", abort(header())));

    let package = [0_u8, 1, 2, 3, 250, 251, 252];
    let uri = "./FUMO/x/Update/PkgData";
    all.push((
        "PkgData inline",
        with(vec![
            Command::Replace(Edit::new(1, Item::target(uri).with_base64("application/octet-stream", &package))),
            Command::Exec(Exec::new(2, "./FUMO/x/Update", Some("c-2"))),
        ]),
    ));
    let mut splitter = Splitter::new(Item::target(uri).with_base64("application/octet-stream", &package));
    let first = splitter.next_part(5).unwrap();
    all.push(("PkgData, first part", Message { is_final: false, ..with(vec![Command::Replace(Edit::new(1, first))]) }));
    all.push(("PkgData, last part", with(vec![Command::Replace(Edit::new(1, splitter.next_part(100).unwrap()))])));
    let download = Item::target("./FUMO/x/DownloadAndUpdate/PkgURL").with_text("chr", "text/plain", "https://dl.example.com/a.dd?x=1&y=2");
    all.push((
        "PkgURL in a sequence",
        with(vec![Command::Sequence(Group {
            id: 1,
            meta: Meta::default(),
            commands: vec![Command::Replace(Edit::new(2, download.clone())), Command::Exec(Exec::new(3, "./FUMO/x/DownloadAndUpdate", None))],
        })]),
    ));
    all.push((
        "atomic",
        with(vec![Command::Atomic(Group {
            id: 1,
            meta: Meta::default(),
            commands: vec![
                Command::Replace(Edit::new(2, download)),
                Command::Add(Edit::new(3, Item { meta: Meta { format: Some("node".into()), ..Meta::default() }, ..Item::target("./A") })),
                Command::Delete(Edit::new(4, Item::target("./B"))),
                Command::Copy(Edit::new(5, Item { source: Some(Location::new("./C")), ..Item::target("./D") })),
            ],
        })]),
    ));
    all.push((
        "get",
        with(vec![Command::Get(Edit { id: 1, items: vec![Item::target("./DevDetail/FwV"), Item::target("./FUMO?list=Struct")], ..Edit::default() })]),
    ));
    all.push((
        "results",
        with(vec![
            Command::Status(Status::new(1, 1, 1, CommandName::Get, 200)),
            Command::Results(Results {
                id: 2,
                message_ref: Some(1),
                command_ref: 1,
                items: vec![Item::source("./DevDetail/FwV").with_text("chr", "text/plain", "1.2"), Item::source("./E").with_text("node", "text/plain", "")],
                ..Results::default()
            }),
            Command::Results(Results {
                id: 3,
                command_ref: 1,
                meta: Meta::new("chr", "text/plain"),
                target_ref: Some("./DevDetail/FwV".into()),
                source_ref: Some("./DevDetail/FwV".into()),
                items: vec![Item { data: Some(Data::Text("1.2".into())), ..Item::source("./DevDetail/FwV") }],
                ..Results::default()
            }),
        ]),
    ));
    let tree = Element::new(Namespace::Ddf, "MgmtTree")
        .with(Element::with_text(Namespace::Ddf, "VerDTD", "1.2"))
        .with(Element::new(Namespace::Ddf, "Node").with(Element::with_text(Namespace::Ddf, "NodeName", "FUMO")));
    all.push((
        "serialised tree",
        with(vec![
            Command::Add(Edit {
                id: 1,
                items: vec![Item::target("./Inbox").with_tree(tree.clone()), Item::target("./Other").with_tree(tree.clone())],
                ..Edit::default()
            }),
            Command::Results(Results { id: 2, command_ref: 9, items: vec![Item::source("./FUMO").with_tree(tree)], ..Results::default() }),
        ]),
    ));
    all
}

fn auth_scheme(name: &str) -> &'static str {
    use crate::oma::auth;
    match name {
        "MAC" => auth::MAC,
        "md5" => auth::MD5,
        _ => auth::BASIC,
    }
}
