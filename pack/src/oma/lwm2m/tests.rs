use super::*;
use crate::oma::test_support::oracle;

/// What is between two tags, the first time.
fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let (_, after) = text.split_once(&format!("<{tag}>")).unwrap();
    after.split_once(&format!("</{tag}>")).unwrap().0.trim()
}

fn items(text: &str) -> Vec<(u16, &str)> {
    let items = text.split("<Item ID=\"").skip(1);
    items.map(|item| (item.split_once('"').unwrap().0.parse().unwrap(), item.split_once("</Item>").unwrap().0)).collect()
}

fn same_resources(text: &str, resources: &[Resource]) {
    let items = items(text);
    assert_eq!(items.len(), resources.len());
    for ((id, item), resource) in items.iter().zip(resources) {
        assert_eq!(*id, resource.id);
        assert_eq!(between(item, "Name"), resource.name);
        assert_eq!(between(item, "Operations"), resource.operations);
        assert_eq!(between(item, "Mandatory") == "Mandatory", resource.is_mandatory, "{}", resource.name);
    }
}

/// The numbers at the beginning of the lines of a description: what is given out.
fn listed(text: &str, id: u16) -> Vec<u8> {
    let item = items(text).into_iter().find(|(known, _)| *known == id).unwrap().1;
    let lines = between(item, "Description").lines();
    lines.filter_map(|line| line.trim().trim_start_matches("<![CDATA[").split_once(':')?.0.trim().parse().ok()).collect()
}

fn range(text: &str, id: u16) -> (u8, u8) {
    let item = items(text).into_iter().find(|(known, _)| *known == id).unwrap().1;
    let (low, high) = between(item, "RangeEnumeration").split_once("..").unwrap();
    (low.parse().unwrap(), high.parse().unwrap())
}

#[test]
fn object_5_is_the_registry_s() {
    let Some(text) = oracle("lwm2m/5.xml") else {
        return;
    };
    let text = String::from_utf8(text).unwrap();
    assert_eq!(between(&text, "ObjectID"), FIRMWARE_UPDATE.to_string());
    same_resources(&text, &FIRMWARE_RESOURCES);
    let states: Vec<u8> = FirmwareState::ALL.iter().map(|state| state.code()).collect();
    assert_eq!(listed(&text, 3), states);
    assert_eq!(range(&text, 3), (0, 3));
    let results: Vec<u8> = FirmwareResult::ALL.iter().map(|result| result.code()).collect();
    assert_eq!(listed(&text, 5), results);
    assert_eq!(range(&text, 5), (0, 11));
}

#[test]
fn each_version_of_object_5_has_its_resources() {
    for (name, version) in [("5-1_0", "1.0"), ("5-1_1", "1.1"), ("5-1_2", "1.2")] {
        let Some(text) = oracle(&format!("lwm2m/{name}.xml")) else {
            return;
        };
        let text = String::from_utf8(text).unwrap();
        let expected: Vec<u16> = FIRMWARE_RESOURCES.iter().filter(|resource| resource.since <= version).map(|resource| resource.id).collect();
        let found: Vec<u16> = items(&text).iter().map(|(id, _)| *id).collect();
        assert_eq!(found, expected, "{version}");
        assert_eq!(range(&text, 5).1, if version == "1.0" { 9 } else { 11 });
    }
}

#[test]
fn object_9_is_the_registry_s() {
    let Some(text) = oracle("lwm2m/9.xml") else {
        return;
    };
    let text = String::from_utf8(text).unwrap();
    assert_eq!(between(&text, "ObjectID"), SOFTWARE_MANAGEMENT.to_string());
    same_resources(&text, &SOFTWARE_RESOURCES);
    let states: Vec<u8> = SoftwareState::ALL.iter().map(|state| state.code()).collect();
    assert_eq!(listed(&text, 7), states);
    let results: Vec<u8> = SoftwareResult::ALL.iter().map(|result| result.code()).collect();
    assert_eq!(listed(&text, 9), results);
}

#[test]
fn numbers_there_and_back() {
    for code in 0..=u8::MAX {
        assert!(FirmwareState::from_code(code).is_none_or(|state| state.code() == code));
        assert!(FirmwareResult::from_code(code).is_none_or(|result| result.code() == code));
        assert!(SoftwareState::from_code(code).is_none_or(|state| state.code() == code));
        assert!(SoftwareResult::from_code(code).is_none_or(|result| result.code() == code));
    }
    assert_eq!(FirmwareResult::from_code(12), None);
    assert_eq!(SoftwareResult::from_code(55), None);
}

#[test]
fn what_fumo_says_in_lwm2m() {
    let states: Vec<u8> = fumo::State::ALL.iter().map(|&state| FirmwareState::from(state).code()).collect();
    assert_eq!(states, [0, 0, 1, 2, 2, 3, 2, 0, 0, 0]);
    for (fumo, expected) in [
        (200, Some(1)),
        (402, Some(5)),
        (404, Some(5)),
        (405, Some(6)),
        (403, Some(6)),
        (411, Some(7)),
        (412, Some(4)),
        (503, Some(4)),
        (407, Some(4)),
        (501, Some(2)),
        (502, Some(8)),
        (401, Some(10)),
        (406, Some(4)),
        (408, Some(9)),
        (410, Some(8)),
        (400, None),
        (409, None),
        (500, None),
    ] {
        let result = fumo::ResultCode::from_code(fumo).unwrap();
        assert_eq!(FirmwareResult::from_fumo(result).map(FirmwareResult::code), expected, "{fumo}");
    }
}
