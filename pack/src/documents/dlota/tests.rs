use super::{Descriptor, Error, MAX_BYTES, NAMESPACE, PACKAGE_MIME_TYPE};

fn full() -> Descriptor {
    Descriptor {
        types: vec![PACKAGE_MIME_TYPE.into()],
        size: 4711,
        object_uri: "https://updates.example/lamp-2.0-from-1.0.suit?a=1&b=2".into(),
        install_notify_uri: Some("https://updates.example/notify".into()),
        next_url: Some("https://example.com/".into()),
        name: Some("Lamp <2.0>".into()),
        description: Some("Fixes & \"features\"".into()),
        vendor: Some("Ex\u{e4}mple".into()),
        info_url: Some("https://example.com/notes".into()),
        icon_uri: Some("https://example.com/icon.png".into()),
        install_param: Some("a=1;b=2".into()),
        unknown: Vec::new(),
    }
}

fn with(children: &str) -> String {
    format!("<media xmlns=\"{NAMESPACE}\">{children}</media>")
}

const LEAST: &str = "<type>a/b</type><size>1</size><objectURI>u</objectURI>";

fn read(text: &str) -> Result<Descriptor, Error> {
    Descriptor::read(text.as_bytes())
}

#[test]
fn what_is_written_is_read() {
    let bytes = full().write().unwrap();
    assert_eq!(Descriptor::read(&bytes), Ok(full()));
    let least = Descriptor { types: vec!["a/b".into()], size: 1, object_uri: "u".into(), ..Descriptor::default() };
    assert_eq!(Descriptor::read(&least.write().unwrap()), Ok(least));
}

#[test]
fn the_bytes_are_pinned() {
    let descriptor = Descriptor { types: vec!["a/b".into()], size: 1, object_uri: "u?a&b".into(), ..Descriptor::default() };
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<media xmlns=\"http://www.openmobilealliance.org/xmlns/dd\">\n  <type>a/b</type>\n  \
                    <size>1</size>\n  <objectURI>u?a&amp;b</objectURI>\n  <DDVersion>1.0</DDVersion>\n</media>\n";
    assert_eq!(String::from_utf8(descriptor.write().unwrap()).unwrap(), expected);
}

#[test]
fn children_in_any_order_and_of_other_makers() {
    let text = with("<x:y xmlns:x=\"urn:x\"><x:z>text</x:z></x:y><objectURI>u</objectURI><later/><size>1</size><type>a/b</type><type>c/d</type>");
    let descriptor = read(&text).unwrap();
    assert_eq!(descriptor.types, ["a/b", "c/d"]);
    assert_eq!(descriptor.unknown, ["y", "later"]);
    let prefixed = format!("<d:media xmlns:d=\"{NAMESPACE}\"><d:type>a/b</d:type><d:size>1</d:size><d:objectURI>u</d:objectURI></d:media>");
    assert_eq!(read(&prefixed).unwrap().object_uri, "u");
    assert_eq!(read(&with("<type>a/b</type><size>1</size><objectURI>u&amp;<![CDATA[v]]>&#119;</objectURI>")).unwrap().object_uri, "u&vw");
}

#[test]
fn refusals() {
    let refused = |text: &str| read(text).unwrap_err();
    assert_eq!(refused(&with("<size>1</size><objectURI>u</objectURI>")), Error::Missing("type"));
    assert_eq!(refused(&with("<type>a/b</type><objectURI>u</objectURI>")), Error::Missing("size"));
    assert_eq!(refused(&with("<type>a/b</type><size>1</size>")), Error::Missing("objectURI"));
    assert_eq!(refused(&with("<type>a/b</type><size>1</size><objectURI/>")), Error::Missing("objectURI"));
    for size in ["0", "-1", "+1", "1,000", "1 0", "", "99999999999999999999"] {
        let text = with(&format!("<type>a/b</type><size>{size}</size><objectURI>u</objectURI>"));
        assert_eq!(refused(&text), Error::Size(size.into()));
    }
    assert_eq!(refused(&with(&format!("{LEAST}<size>1</size>"))), Error::Twice("size"));
    assert_eq!(refused(&with(&format!("{LEAST}<DDVersion>2.0</DDVersion>"))), Error::Version("2.0".into()));
    assert_eq!(refused(&with(&format!("{LEAST}<DDVersion>2.0</DDVersion>"))).status(), 951);
    assert_eq!(refused(&with(&format!("{LEAST}<name><size>1</size></name>"))), Error::Misplaced("size".into()));
    assert_eq!(refused(&with(&format!("{LEAST}<other><size>1</size></other>"))), Error::Misplaced("size".into()));
    assert_eq!(refused(&with(&format!("{LEAST}text"))), Error::Misplaced("text".into()));
    assert!(matches!(refused(&format!("<media>{LEAST}</media>")), Error::Root { .. }));
    assert!(matches!(refused("<dd/>"), Error::Root { .. }));
    assert_eq!(refused(""), Error::Missing("media"));
    assert!(read(&format!("{}{}", with(LEAST), with(LEAST))).is_err());
    let bomb = format!("<!DOCTYPE media [<!ENTITY a \"aaaa\">]>{}", with("<type>&a;</type>"));
    assert_eq!(refused(&bomb), Error::DocumentType);
    assert!(matches!(refused(&with("<type>&a;</type>")), Error::Xml { .. }));
    assert_eq!(refused(&" ".repeat(MAX_BYTES + 1)), Error::TooLong { actual: MAX_BYTES + 1 });
    assert!(matches!(Descriptor::read(b"\xff\xfe<media/>"), Err(Error::Xml { .. })));
    let control = Descriptor { name: Some("a\u{7}".into()), ..full() };
    assert_eq!(control.write(), Err(Error::ControlCharacter("name")));
}

#[test]
fn a_cut_descriptor_is_refused_at_every_length() {
    let bytes = full().write().unwrap();
    let end = bytes.len() - "\n".len();
    for length in 0..end {
        assert!(Descriptor::read(&bytes[..length]).is_err(), "{length}");
    }
}
