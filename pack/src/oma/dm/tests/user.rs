use super::*;

#[test]
fn interactions_and_answers_are_read_as_they_were_written() {
    let options = Options {
        min_seconds: Some(10),
        max_seconds: Some(60),
        default_response: Some("ja & 100 %".into()),
        max_characters: Some(8),
        input: Some(Input::InternetAddress),
        echo: Some(Echo::Password),
    };
    assert_eq!(options.write(), "MINDT=10&MAXDT=60&DR=ja%20%26%20100%20%25&MAXLEN=8&IT=I&ET=P");
    assert_eq!(Options::parse(&options.write()).unwrap(), options);
    assert_eq!(Options::parse("XX=1&MINDT=3&&YY").unwrap(), Options { min_seconds: Some(3), ..Options::default() });
    for bad in ["MINDT=x", "MINDT=-1", "IT=Z", "ET=", "DR=%g0", "DR=%4"] {
        assert!(Options::parse(bad).is_err(), "{bad}");
    }
    let choice = Interaction { options, choices: vec!["a".into(), "b".into()], ..Interaction::new(Kind::SingleChoice, "Which?") };
    let alert = choice.to_alert(3);
    assert_eq!(alert.code, 1103);
    assert_eq!(Interaction::from_alert(&alert).unwrap(), choice);
    for (response, interaction) in [
        (Response::Confirmed, Interaction::new(Kind::Confirm, "?")),
        (Response::Refused, Interaction::new(Kind::Confirm, "?")),
        (Response::Cancelled, Interaction::new(Kind::Input, "?")),
        (Response::NotExecuted, Interaction::new(Kind::Display, "?")),
        (Response::Entered("x".into()), Interaction::new(Kind::Input, "?")),
        (Response::Selected(vec![2]), choice.clone()),
        (Response::Selected(vec![]), Interaction { kind: Kind::MultipleChoice, ..choice.clone() }),
    ] {
        let status = response.to_status(1, 2, &interaction.to_alert(3));
        assert_eq!((status.command_ref, status.command), (3, CommandName::Alert));
        assert_eq!(Response::from_status(&status, &interaction).unwrap(), response);
    }
    for selected in [vec![0], vec![3], vec![1, 2], vec![]] {
        let status = Response::Selected(selected).to_status(1, 2, &alert);
        assert!(Response::from_status(&status, &choice).is_err());
    }
    assert!(Response::from_status(&Status::new(1, 1, 1, CommandName::Alert, 500), &choice).is_err());
}

#[test]
fn broken_interactions_are_refused() {
    let alert = |code, items: &[&str]| Alert { id: 1, code, correlator: None, items: items.iter().map(|text| Item::text(text)).collect() };
    for broken in [
        alert(1200, &["", "x"]),
        alert(1100, &[]),
        alert(1100, &[""]),
        alert(1100, &["", "x", "y"]),
        alert(1103, &["", "x"]),
        Alert { items: vec![Item::default(), Item::default()], ..alert(1100, &[]) },
    ] {
        assert!(Interaction::from_alert(&broken).is_err(), "{broken:?}");
    }
}

#[test]
fn generic_alerts() {
    let item =
        GenericAlertItem { source: Some("./x".into()), alert_type: "a.b".into(), format: "int".into(), data: "200".into(), ..GenericAlertItem::default() };
    let generic = GenericAlert { correlator: Some("c".into()), items: vec![item.clone(), item] };
    let alert = generic.to_alert(9);
    assert_eq!((alert.code, alert.id), (1226, 9));
    assert_eq!(GenericAlert::from_alert(&alert).unwrap(), generic);
    for prefix in ["Reversed-Domain-Name: ", "Content-Type: ", "Content-Type:"] {
        let mut prefixed = alert.clone();
        prefixed.items[0].meta.media_type = Some(format!("{prefix}a.b"));
        assert_eq!(GenericAlert::from_alert(&prefixed).unwrap(), generic);
    }
    let error = |change: &dyn Fn(&mut Alert)| {
        let mut alert = alert.clone();
        change(&mut alert);
        GenericAlert::from_alert(&alert).unwrap_err().to_string()
    };
    assert_eq!(error(&|alert| alert.code = 1224), "`Data` is `1224`, expected 1226");
    assert_eq!(error(&|alert| alert.items.clear()), "`Alert` has no `Item`");
    assert_eq!(error(&|alert| alert.items[1].data = None), "`Item` has no `Data`");
    assert_eq!(error(&|alert| alert.items[1].meta.media_type = None), "`Meta` has no `Type`");
    assert_eq!(error(&|alert| alert.items[1].meta.mark = Some("bad".into())), "`Mark` is `bad`, expected one of the seven marks");
}

#[test]
fn device_information_and_the_first_message() {
    let (_, message) = every_kind().remove(0);
    let device = DeviceInformation::from_commands(&message.commands).unwrap();
    assert_eq!(device.model, "M1");
    assert_eq!(device.manufacturer, "Sealift & Söhne <test>");
    assert_eq!(DeviceInformation::from_commands(&message.commands[..1]), None);
    assert!(message.commands.iter().all(Command::is_allowed_from_client));
    let ids: Vec<u32> = message.commands.iter().map(Command::id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert!(status::is_success(202) && !status::is_success(214) && !status::is_success(304));
}
