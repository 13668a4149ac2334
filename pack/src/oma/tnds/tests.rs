use super::*;
use crate::oma::test_support::{libwbxml_decode, libwbxml_encode, oracle, validate};

const DTD: &str = "own-vectors/dmddf12-own.dtd";

fn sample() -> Tree {
    let mut leaf = Node::leaf("State", Format::Int, "text/plain", "10");
    if let Some(properties) = &mut leaf.properties {
        properties.acl = Some(Acl::parse("Get=*&Replace=a.b+c.d").unwrap());
        properties.name = Some("State".into());
        properties.size_bytes = Some(2);
        properties.title = Some("state & more".into());
        properties.time_stamp = Some("20261121T120000Z".into());
        properties.version = Some(65535);
    }
    let mut root = Node::interior("x", "urn:oma:mo:oma-fumo:1.0", vec![leaf, Node::interior("Update", "", vec![])]);
    root.path = Some("./FUMO".into());
    Tree { manufacturer: Some("m".into()), model: Some("n".into()), nodes: vec![root] }
}

#[test]
fn trees_are_read_as_they_were_written_and_valid() {
    let tree = sample();
    let (xml, wbxml) = (tree.write().unwrap(), tree.write_wbxml().unwrap());
    assert_eq!(Tree::read(&xml).unwrap(), tree);
    assert_eq!(Tree::read_wbxml(&wbxml).unwrap(), tree);
    assert_eq!(validate(&xml, DTD).unwrap_or(Ok(())), Ok(()));
    assert_eq!(libwbxml_encode(&xml).unwrap_or(wbxml.clone()), wbxml);
    let Some(back) = libwbxml_decode(&wbxml, Some("DMDDF12")) else {
        return;
    };
    assert_eq!(Tree::read(&back).unwrap(), tree);
    assert_eq!(tree.nodes[0].find("State").unwrap().value.as_deref(), Some("10"));
    assert!(tree.nodes[0].find("State/x").is_none());
}

#[test]
fn the_sample_of_libwbxml() {
    let Some(bytes) = oracle("libwbxml/ddf-001.ddf") else {
        return;
    };
    let tree = Tree::read(&bytes).unwrap();
    let value = |path| tree.nodes[0].find(path).and_then(|node| node.value.as_deref());
    assert_eq!(value("POP3/POPServer"), Some("mail.Operatorx.com"));
    assert_eq!(value("POP3/PWD"), Some("4571F7C34A9876B3"));
    assert_eq!(validate(&tree.write().unwrap(), DTD).unwrap_or(Ok(())), Ok(()));
    let wbxml = tree.write_wbxml().unwrap();
    assert_eq!(libwbxml_encode(&bytes).unwrap_or(wbxml.clone()), wbxml);
}

#[test]
fn access_control_lists() {
    let acl = Acl::parse("Get=*&Replace=a.b+c.d").unwrap();
    assert_eq!(acl.write(), "Get=*&Replace=a.b+c.d");
    assert!(acl.allows(Right::Get, "anyone") && acl.allows(Right::Replace, "c.d"));
    assert!(!acl.allows(Right::Replace, "c") && !acl.allows(Right::Delete, "a.b"));
    for bad in ["", "Get", "Get=", "Copy=a", "Get=a&Get=b", "Get=a+", "Get=*+a", "Get=a b", "Get=a=b", "Get=a&"] {
        assert!(Acl::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn every_reason() {
    let text = String::from_utf8(sample().write().unwrap()).unwrap();
    for (from, to, reason) in [
        ("<int/>", "<i/>", "`Format` is `i`, expected the name of a format"),
        ("<MIME>text/plain</MIME>", "<MIME>a</MIME><MIME>b</MIME>", "`MIME` occurs twice in `Type`"),
        ("65535", "65536", "`VerNo` is `65536`, expected a number of 16 bits"),
        ("Get=*", "Got=*", "`ACL` is `Got=*&Replace=a.b+c.d`, expected a command that has an ACL"),
        ("<NodeName>x</NodeName>", "", "`Node` has no `NodeName`"),
        ("<Path>", "<Value/><Path>", "`Value` has no place in `Node`"),
        ("RTProperties", "DFProperties", ""),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Tree::read(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(reason.is_empty() || error == reason, "{error}");
    }
}
