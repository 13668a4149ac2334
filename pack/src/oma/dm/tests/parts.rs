use proptest::prelude::*;

use super::*;

const URI: &str = "./FUMO/x/Update/PkgData";

fn item(bytes: &[u8]) -> Item {
    Item::target(URI).with_base64("application/octet-stream", bytes)
}

fn parts(item: Item, room: usize) -> Vec<Item> {
    let mut splitter = Splitter::new(item);
    std::iter::from_fn(|| splitter.next_part(room)).collect()
}

#[test]
fn parts_say_what_they_must() {
    let parts = parts(item(&[7; 30]), 16);
    let sizes: Vec<_> = parts.iter().map(|part| part.meta.size_bytes).collect();
    assert_eq!(sizes, [Some(40), None, None]);
    let more: Vec<_> = parts.iter().map(|part| part.more_data).collect();
    assert_eq!(more, [true, true, false]);
    assert!(parts.iter().all(|part| part.target.as_ref().unwrap().uri == URI));
}

#[test]
fn every_reason_and_its_status() {
    let good = parts(item(&[7; 30]), 16);
    let error = |parts: &[Item], max: u64| {
        let mut reassembler = Reassembler::new(max);
        let error = parts.iter().find_map(|part| reassembler.push(part).err()).expect("an error");
        assert!(!reassembler.is_open(), "nothing stays after an error");
        error
    };
    let mut no_size = good.clone();
    no_size[0].meta.size_bytes = None;
    assert_eq!(error(&no_size, 100), ObjectError::NoSize(URI.into()));
    let mut again = good.clone();
    again[1].meta.size_bytes = Some(40);
    assert_eq!(error(&again, 100), ObjectError::SizeAgain(URI.into()));
    for size in [39, 41] {
        let mut mismatch = good.clone();
        mismatch[0].meta.size_bytes = Some(size);
        let found = error(&mismatch, 100);
        assert_eq!(found, ObjectError::SizeMismatch { uri: URI.into(), expected: size, actual: 40 });
        assert_eq!(found.status(), 424);
    }
    let mut early = good.clone();
    early[1].more_data = false;
    assert_eq!(error(&early, 100).status(), 424);
    let mut first = good.clone();
    first[0].meta.size_bytes = Some(3);
    assert_eq!(error(&first, 100).status(), 424);
    assert_eq!(error(&good, 39), ObjectError::TooLarge { uri: URI.into(), actual: 40, allowed: 39 });
    assert_eq!(error(&good, 39).status(), 413);
    assert_eq!(error(&[item(&[1; 30])], 39).status(), 413);
    let mut growing = Reassembler::new(100);
    let mut long = good.clone();
    long[0].meta.size_bytes = Some(20);
    assert_eq!(growing.push(&long[0]), Ok(Outcome::More));
    // Already the second of three is too much: nothing is kept beyond what was announced.
    assert_eq!(growing.push(&long[1]).unwrap_err().status(), 424);
    let mut other = good.clone();
    other[1] = Item::target("./y").with_text("chr", "text/plain", "x");
    assert_eq!(error(&other, 100), ObjectError::Interrupted { expected: URI.into(), found: "./y".into() });
    let mut mixed = good.clone();
    mixed[1].data = Some(Data::Bytes(vec![1]));
    assert_eq!(error(&mixed, 100), ObjectError::Part(URI.into()));
    let mut single = item(b"abc");
    single.meta.size_bytes = Some(5);
    assert_eq!(error(&[single], 100).status(), 424);
    let mut reassembler = Reassembler::new(100);
    assert_eq!(reassembler.push(&good[0]), Ok(Outcome::More));
    assert_eq!(reassembler.interrupt().as_deref(), Some(URI));
    assert_eq!(reassembler.interrupt(), None);
}

#[test]
fn characters_are_not_cut() {
    let parts = parts(Item::target("x").with_text("chr", "text/plain", "äöü"), 3);
    let texts: Vec<_> = parts.iter().filter_map(Item::as_text).collect();
    assert_eq!(texts, ["ä", "ö", "ü"]);
    assert_eq!(self::parts(Item::target("x").with_text("chr", "text/plain", "äö"), 0).len(), 2);
    assert_eq!(self::parts(Item::target("x").with_text("chr", "text/plain", ""), 10).len(), 1);
}

proptest! {
    #[test]
    fn parts_make_the_object(bytes in prop::collection::vec(any::<u8>(), 0..300), room in 1..400_usize, raw in any::<bool>()) {
        let whole = if raw { Item::target(URI).with_bytes("application/octet-stream", bytes.clone()) } else { item(&bytes) };
        let mut reassembler = Reassembler::new(1000);
        let parts = parts(whole, room);
        for (n, part) in parts.iter().enumerate() {
            // As it is after a message.
            let message = Message { header: Header::new("1", 1, "a", "b"), commands: vec![Command::Replace(Edit::new(1, part.clone()))], is_final: !part.more_data };
            let encoded = message.encode(Encoding::Wbxml).unwrap();
            let Command::Replace(edit) = Message::decode(&encoded, Encoding::Wbxml, &Limits::MESSAGE).unwrap().commands.remove(0) else { panic!() };
            match reassembler.push(&edit.items[0]).unwrap() {
                Outcome::More => prop_assert!(n + 1 < parts.len()),
                Outcome::Complete(whole) => {
                    prop_assert_eq!(n + 1, parts.len());
                    prop_assert_eq!(whole.bytes(&Meta::default()).unwrap(), bytes.clone());
                }
            }
        }
        prop_assert!(!reassembler.is_open());
    }
}
