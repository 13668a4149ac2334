use proptest::prelude::*;

use super::*;
use crate::oma::test_support::{libwbxml_decode, libwbxml_encode, oracle, validate};
use crate::oma::{fumo, scomo, trust_tree};

const DTD: &str = "own-vectors/dmddf12-own.dtd";

fn ours() -> [(&'static str, Description); 3] {
    [("FUMO", fumo::description()), ("SCOMO", scomo::description()), ("trust", trust_tree::description())]
}

#[test]
fn our_descriptions_are_read_as_they_were_written() {
    for (name, description) in ours() {
        assert_eq!(Description::read(&description.write().unwrap()).unwrap(), description, "{name}");
        assert_eq!(Description::read_wbxml(&description.write_wbxml().unwrap()).unwrap(), description, "{name}");
    }
}

#[test]
fn our_descriptions_are_valid() {
    for (name, description) in ours() {
        let Some(result) = validate(&description.write().unwrap(), DTD) else {
            return;
        };
        assert_eq!(result, Ok(()), "{name}");
    }
    // The other way round, so that the check can fail.
    let mut wrong = fumo::description().to_element();
    wrong.children.reverse();
    assert!(validate(&xml::write(&wrong, None).unwrap(), DTD).is_none_or(|result| result.is_err()));
}

#[test]
fn our_descriptions_are_what_libwbxml_makes_of_them() {
    for (name, description) in ours() {
        let wbxml = description.write_wbxml().unwrap();
        let Some(theirs) = libwbxml_encode(&description.write().unwrap()) else {
            return;
        };
        assert_eq!(wbxml, theirs, "{name}");
        let Some(back) = libwbxml_decode(&wbxml, Some("DMDDF12")) else {
            return;
        };
        assert_eq!(Description::read(&back).unwrap(), description, "{name}");
    }
}

#[test]
fn a_description_from_the_field() {
    let Some(bytes) = oracle("aosp-omadm/syncmldm.ddf") else {
        return;
    };
    let description = Description::read(&bytes).unwrap();
    assert_eq!(description.nodes.iter().map(Node::count).sum::<usize>(), 292);
    assert_eq!(description.manufacturer.as_deref(), Some("Motorola"));
    let written = description.write().unwrap();
    assert_eq!(Description::read(&written).unwrap(), description);
    assert!(validate(&written, DTD).is_none_or(|result| result.is_ok()));
    let wbxml = description.write_wbxml().unwrap();
    assert_eq!(Description::read_wbxml(&wbxml).unwrap(), description);
    assert_eq!(libwbxml_encode(&written).unwrap_or(wbxml.clone()), wbxml);
}

fn template(properties: &str) -> String {
    format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>a</NodeName><DFProperties>{properties}</DFProperties></Node></MgmtTree>")
}

const GOOD: &str = "<DFType><MIME>text/plain</MIME></DFType><DFFormat><chr/></DFFormat><AccessType><Get/></AccessType>";

#[test]
fn order_does_not_matter_and_defaults_hold() {
    let description = Description::read(template(GOOD).as_bytes()).unwrap();
    let properties = description.nodes[0].properties.as_ref().unwrap();
    assert_eq!((properties.occurrence, properties.scope, properties.case_sense), (Occurrence::One, Scope::Dynamic, None));
    let full = GOOD.to_owned()
        + "<CaseSense><CIS/></CaseSense><Scope><Permanent/></Scope><Occurrence><OneOrN>5</OneOrN></Occurrence><DFTitle>t</DFTitle><DefaultValue> v </DefaultValue>";
    let description = Description::read(template(&full).as_bytes()).unwrap();
    let properties = description.nodes[0].properties.as_ref().unwrap();
    assert_eq!(properties.occurrence, Occurrence::OneOrN(5));
    assert_eq!(properties.default_value.as_deref(), Some(" v "));
    assert_eq!((properties.scope, properties.case_sense), (Scope::Permanent, Some(CaseSense::Insensitive)));
    assert_eq!(Description::read(&description.write().unwrap()).unwrap(), description);
    assert!(validate(&description.write().unwrap(), DTD).is_none_or(|result| result.is_ok()));
}

#[test]
fn every_reason() {
    for (from, to, reason) in [
        ("<chr/>", "<txt/>", "`DFFormat` is `txt`, expected the name of a format"),
        ("<chr/>", "", "`DFFormat` has no `choice`"),
        ("<chr/>", "<chr/><int/>", "`int` has no place in `DFFormat`"),
        ("<Get/>", "<Got/>", "`Got` has no place in `AccessType`"),
        ("<Get/>", "<Get/><Get/>", "`Get` occurs twice in `AccessType`"),
        ("<AccessType><Get/></AccessType>", "", "`DFProperties` has no `AccessType`"),
        ("<MIME>text/plain</MIME>", "", "`DFType` has no `DDFName`"),
        ("<MIME>text/plain</MIME>", "<MIME>a</MIME><DDFName/>", "`DDFName` has no place in `DFType`"),
        ("<AccessType>", "<Occurrence><ZeroOrN>1</ZeroOrN></Occurrence><AccessType>", "`ZeroOrN` is `1`, expected 2 to 65536"),
        ("<AccessType>", "<Occurrence><ZeroOrN>65537</ZeroOrN></Occurrence><AccessType>", "`ZeroOrN` is `65537`, expected a decimal number in its range"),
        ("<AccessType>", "<Occurrence><Two/></Occurrence><AccessType>", "`Occurrence` is `Two`, expected one of the six occurrences"),
        ("<AccessType>", "<Scope><Once/></Scope><AccessType>", "`Scope` is `Once`, expected Permanent or Dynamic"),
        ("<AccessType>", "<CaseSense><A/></CaseSense><AccessType>", "`CaseSense` is `A`, expected CS or CIS"),
        ("<VerDTD>1.2", "<VerDTD>1.1", "`VerDTD` is `1.1`, expected 1.2"),
        ("<NodeName>a</NodeName>", "", "`Node` has no `NodeName`"),
        ("</DFProperties>", "</DFProperties><RTProperties/>", "`RTProperties` has no place in `Node`"),
        ("</DFProperties>", "</DFProperties><Node><NodeName/></Node><Value/>", "`Value` has no place in `Node`"),
    ] {
        let text = template(GOOD).replacen(from, to, 1);
        assert_eq!(Description::read(text.as_bytes()).unwrap_err().to_string(), reason);
    }
    let empty = b"<MgmtTree><VerDTD>1.2</VerDTD></MgmtTree>";
    assert_eq!(Description::read(empty).unwrap_err().to_string(), "`MgmtTree` has no `Node`");
    let deep = format!("<MgmtTree>{}", "<Node>".repeat(100));
    assert!(matches!(Description::read(deep.as_bytes()), Err(Error::Xml(xml::Error::TooLarge { .. }))));
    let message = wbxml::encode(&Element::new(Namespace::SyncMl, "SyncML"), wbxml::Document::Message).unwrap();
    assert_eq!(Description::read_wbxml(&message), Err(Error::NotATree));
}

proptest! {
    #[test]
    fn any_change_is_read_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (xml, wbxml) = (fumo::description().write().unwrap(), fumo::description().write_wbxml().unwrap());
        for (bytes, is_xml) in [(xml, true), (wbxml, false)] {
            let mut bytes = bytes;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let read = if is_xml { Description::read(&bytes) } else { Description::read_wbxml(&bytes) };
            if let Ok(read) = read {
                prop_assert!(read.write().is_ok());
            }
        }
    }
}
