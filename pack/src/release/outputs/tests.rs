use super::*;
use crate::oma::dm::Outcome;
use crate::oma::dm::{Meta, Reassembler};
use crate::oma::test_support::{libwbxml_decode, libwbxml_encode};
use crate::oma::xml::{self, Limits};

fn workflow() -> Workflow {
    Workflow {
        id: "lamp".into(),
        vendor_url: "http://h/p.suit".into(),
        confirmation: None,
        instructions: vec![sacmo::Message::new("en", "Plug it in")],
        completion: None,
        retry: sacmo::Retry { attempts: 1, delay_seconds: 0, factor: 1 },
    }
}

fn subject<'a>(package: &'a [u8], workflow: &'a Workflow) -> Subject<'a> {
    Subject {
        name: "lamp-2.0-full",
        package,
        component: "app one",
        version: "2.0",
        package_url: Some("http://h/p.suit"),
        descriptor_url: Some("http://h/p.dd"),
        correlator: "0011",
        workflow: Some(workflow),
    }
}

fn decode(output: &Output) -> Message {
    let encoding = Encoding::from_content_type(output.media_type).unwrap();
    Message::decode(&output.bytes, encoding, &Limits::MESSAGE).unwrap()
}

fn flat(commands: &[Command]) -> Vec<&Command> {
    commands.iter().flat_map(|command| if let Command::Sequence(group) = command { group.commands.iter().collect() } else { vec![command] }).collect()
}

#[test]
fn both_forms_of_every_command_say_the_same_and_carry_the_package() {
    let package: Vec<u8> = (0..40_000u32).map(|n| ((n * 7) >> 3) as u8).collect();
    let flow = workflow();
    let (outputs, omitted) = make(&subject(&package, &flow), &Management::default()).unwrap();
    assert!(omitted.is_empty());
    let commands: Vec<&Output> = outputs.iter().filter(|output| Encoding::from_content_type(output.media_type).is_some()).collect();
    for pair in commands.chunks(2) {
        assert_eq!(decode(pair[0]), decode(pair[1]), "{}", pair[0].file);
        if let Some(theirs) = libwbxml_encode(&pair[0].bytes) {
            assert_eq!(theirs, pair[1].bytes, "{}", pair[1].file);
            let back = libwbxml_decode(&pair[1].bytes, None).unwrap();
            assert!(xml::parse(&back, None, &Limits::MESSAGE).is_ok());
        }
    }
    let of = |purpose| commands.iter().filter(move |output| output.purpose == purpose).map(|output| decode(output)).collect::<Vec<_>>();
    for (purpose, exec, url) in [
        (Purpose::FumoInline, "./FUMO/Sealift/Update", None),
        (Purpose::ScomoInline, "./SCOMO/Inventory/Delivered/app_one/Operations/Install", None),
        (Purpose::FumoDescriptor, "./FUMO/Sealift/DownloadAndUpdate", Some("http://h/p.dd")),
        (Purpose::FumoVendor, "./FUMO/Sealift/DownloadAndUpdate", Some("http://h/p.suit")),
        (Purpose::ScomoDescriptor, "./SCOMO/Download/app_one/Operations/DownloadInstall", Some("http://h/p.dd")),
    ] {
        let message = &of(purpose)[0];
        let parts = flat(&message.commands);
        let [.., Command::Replace(edit) | Command::Add(edit), Command::Exec(run)] = parts[..] else { panic!("{parts:?}") };
        assert_eq!((run.items[0].target.as_ref().unwrap().uri.as_str(), run.correlator.as_deref()), (exec, Some("0011")));
        let content = edit.items.last().unwrap().bytes(&Meta::default()).unwrap();
        assert_eq!(content, url.map_or(package.clone(), |url| url.as_bytes().to_vec()), "{purpose:?}");
    }
    // The parts of the large object, in one form: together they are the package, and every message fits.
    let parts: Vec<&&Output> = commands.iter().filter(|output| output.purpose == Purpose::FumoLargeObject && output.file.ends_with(".xml")).collect();
    assert!(parts.len() > 2);
    let mut whole = Reassembler::new(1 << 20);
    for (at, part) in parts.iter().enumerate() {
        assert!(part.bytes.len() <= 16 * 1024, "{}", part.bytes.len());
        let message = decode(part);
        assert_eq!(message.is_final, at + 1 == parts.len());
        let Command::Replace(edit) = &message.commands[0] else { panic!() };
        match whole.push(&edit.items[0]).unwrap() {
            Outcome::More => assert_eq!(message.commands.len(), 1),
            Outcome::Complete(item) => {
                assert_eq!(item.bytes(&edit.meta).unwrap(), package);
                assert!(matches!(&message.commands[1], Command::Exec(_)));
            }
        }
    }
    assert!(!whole.is_open());
}

#[test]
fn what_cannot_be_made_is_said() {
    let flow = workflow();
    let mut without = subject(b"package", &flow);
    (without.package_url, without.descriptor_url, without.workflow) = (None, None, None);
    let (outputs, omitted) = make(&without, &Management::default()).unwrap();
    let purposes: Vec<Purpose> = omitted.iter().map(|(purpose, _)| *purpose).collect();
    assert_eq!(purposes, [Purpose::FumoDescriptor, Purpose::FumoVendor, Purpose::ScomoDescriptor, Purpose::Workflow]);
    assert!(outputs.iter().any(|output| output.purpose == Purpose::FumoInline));
    let large = vec![0; MAX_COMMAND_PACKAGE_BYTES + 1];
    let (outputs, omitted) = make(&subject(&large, &flow), &Management::default()).unwrap();
    assert_eq!(omitted.len(), 3);
    assert!(outputs.iter().all(|output| output.bytes.len() < 100_000));
}

#[test]
fn the_lwm2m_mapping_names_resources_of_the_registry() {
    let flow = workflow();
    let mapping = lwm2m_mapping(&subject(b"package", &flow));
    for object in mapping["objects"].as_array().unwrap() {
        let resources: &[lwm2m::Resource] = if object["object"] == 5 { &lwm2m::FIRMWARE_RESOURCES } else { &lwm2m::SOFTWARE_RESOURCES };
        for step in ["push", "pull"].iter().flat_map(|way| object[way].as_array().unwrap()) {
            let id: u16 = step["path"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
            let resource = resources.iter().find(|resource| resource.id == id).unwrap();
            let needed = if step["operation"] == "write" { 'W' } else { 'E' };
            assert!(resource.operations.contains(needed), "{} of object {}", resource.name, object["object"]);
        }
    }
    assert_eq!(mapping["results"][0], json!({ "fumo": 200, "object-5": 1 }));
    assert_eq!(mapping["states"].as_array().unwrap().len(), 10);
}
