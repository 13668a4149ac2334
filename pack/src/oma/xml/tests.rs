use super::*;

fn read(text: &str) -> Result<Element, Error> {
    parse(text.as_bytes(), Some(Namespace::Ddf), &Limits::TREE)
}

#[test]
fn what_is_written_is_read_again() {
    let tree = Element::new(Namespace::SyncMl, "SyncML")
        .with(Element::with_text(Namespace::SyncMl, "Data", "a<b>&\"'\r\n\t \u{1f600}"))
        .with(Element::new(Namespace::SyncMl, "Meta").with(Element::with_text(Namespace::MetInf, "Type", "x").with_attribute("lang", "d\"e\n")));
    let bytes = write(&tree, Some("<!DOCTYPE SyncML SYSTEM \"x\">")).unwrap();
    assert_eq!(parse(&bytes, None, &Limits::MESSAGE).unwrap(), tree);
}

#[test]
fn entity_bombs_and_external_entities_are_refused() {
    for document_type in [
        "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ELEMENT a ANY>]><a/>",
        "<!DOCTYPE a [%x;]><a/>",
    ] {
        assert_eq!(read(document_type), Err(Error::Declarations), "{document_type}");
    }
    assert_eq!(read("<a>&nbsp;</a>"), Err(Error::Entity("nbsp".into())));
    assert!(matches!(read("<a b='&nbsp;'/>"), Err(Error::Malformed { .. })));
    assert_eq!(read("<!DOCTYPE a PUBLIC \"b\" \"c\" [<?oma-dm-ddf-ver supported-versions=\"1.2\"?>]><a/>").unwrap().name, "a");
}

#[test]
fn characters_that_xml_cannot_carry_are_refused_both_ways() {
    assert_eq!(read("<a>&#1;</a>"), Err(Error::Character(1)));
    assert_eq!(read("<a>\u{1}</a>"), Err(Error::Character(1)));
    assert!(read("<a>&#0;</a>").is_err());
    assert_eq!(read("<a b='&#2;'/>"), Err(Error::Character(2)));
    let tree = Element::with_text(Namespace::Ddf, "a", "\u{ffff}");
    assert_eq!(write(&tree, None), Err(Error::Character(0xffff)));
    let mut raw = Element::new(Namespace::Ddf, "a");
    raw.children.push(Node::Opaque(vec![1]));
    assert_eq!(write(&raw, None), Err(Error::RawBytes("a".into())));
}

#[test]
fn name_spaces_are_checked() {
    assert!(matches!(read("<a xmlns='urn:other'/>"), Err(Error::Namespace { .. })));
    assert!(matches!(parse(b"<a/>", None, &Limits::TREE), Err(Error::Namespace { .. })));
    assert!(matches!(read("<p:a/>"), Err(Error::Malformed { .. })));
    let prefixed = read("<p:a xmlns:p='syncml:metinf'><b/></p:a>").unwrap();
    assert_eq!(prefixed.namespace, Namespace::MetInf);
    assert_eq!(prefixed.child("b").unwrap().namespace, Namespace::Ddf);
}

#[test]
fn limits_hold() {
    let small = Limits { bytes: 1000, depth: 5, elements: 10, text_bytes: 20 };
    let read = |text: &str| parse(text.as_bytes(), Some(Namespace::Ddf), &small);
    let too_large = |limit| move |error: Error| matches!(error, Error::TooLarge { limit: found, .. } if found == limit);
    assert!(read(&format!("{}{}", "<a>".repeat(5), "</a>".repeat(5))).is_ok());
    assert!(read(&format!("{}{}", "<a>".repeat(6), "</a>".repeat(6))).is_err_and(too_large(Limit::Depth)));
    assert!(read(&format!("<a>{}</a>", "<b/>".repeat(9))).is_ok());
    assert!(read(&format!("<a>{}</a>", "<b/>".repeat(10))).is_err_and(too_large(Limit::Elements)));
    assert!(read(&format!("<a>{}</a>", "x".repeat(21))).is_err_and(too_large(Limit::TextBytes)));
    assert!(read(&format!("<a>{}</a>", " ".repeat(1000))).is_err_and(too_large(Limit::Bytes)));
    let attributes: String = (0..9).map(|n| format!(" a{n}='x'")).collect();
    assert!(read(&format!("<a{attributes}/>")).is_err_and(too_large(Limit::Attributes)));
}

#[test]
fn broken_documents_are_refused() {
    for text in
        ["", "<", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "<a/>x", "</a>", "<a b='1' b='2'/>", "<a b=1/>", "<a>&</a>", "<a>&#xzz;</a>", "<a><![CDATA[</a>"]
    {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!(parse(&[0xff], None, &Limits::TREE), Err(Error::NotUtf8));
    assert_eq!(read("<?xml version='1.0' encoding='iso-8859-1'?><a/>"), Err(Error::NotUtf8));
}

#[test]
fn indentation_goes_and_text_stays() {
    let tree = read("<a>\n  <b> x </b>\n  <c><![CDATA[1<2]]>&amp;3</c>\n</a>").unwrap();
    assert_eq!(tree.children.len(), 2);
    assert_eq!(tree.child("b").unwrap().text(), Some(" x "));
    assert_eq!(tree.child("c").unwrap().text(), Some("1<2&3"));
}
