use super::*;
use alloc::{boxed::Box, string::String, vec, vec::Vec};
use proptest::prelude::*;

fn item_error(bytes: &[u8]) -> (usize, ErrorKind) {
    let error = Reader::new(bytes).item().unwrap_err();
    (error.at, error.kind)
}

#[test]
fn heads_have_one_form() {
    use ErrorKind::*;
    for (bytes, at, kind) in [
        (&b""[..], 0, UnexpectedEnd),
        (b"\x18\x17", 0, HeadNotShortest),
        (b"\x19\x00\xff", 0, HeadNotShortest),
        (b"\x1a\x00\x00\xff\xff", 0, HeadNotShortest),
        (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 0, HeadNotShortest),
        (b"\x58\x01a", 0, HeadNotShortest),
        (b"\x1c", 0, ReservedHead),
        (b"\x1f", 0, ReservedHead),
        (b"\xdf", 0, ReservedHead),
        (b"\x5f\x41a\xff", 0, IndefiniteLength),
        (b"\x7f\xff", 0, IndefiniteLength),
        (b"\x9f\xff", 0, IndefiniteLength),
        (b"\xbf\xff", 0, IndefiniteLength),
        (b"\xff", 0, IndefiniteLength),
        (b"\xf7", 0, UnsupportedSimple),
        (b"\xf8\xff", 0, UnsupportedSimple),
        (b"\xf9\x00\x00", 0, UnsupportedSimple),
        (b"\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 0, UnsupportedSimple),
        (b"\x19\x01", 2, UnexpectedEnd),
        (b"\x42a", 2, UnexpectedEnd),
        (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9, UnexpectedEnd),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9, UnexpectedEnd),
        (b"\x61\xff", 0, NotUtf8),
        (b"\xa2\x02\x00\x01\x00", 3, KeyOrder),
        (b"\xa2\x01\x00\x01\x00", 3, DuplicateKey),
        (b"\xa2\x61a\x00\x01\x00", 4, KeyOrder),
    ] {
        assert_eq!(item_error(bytes), (at, kind), "{bytes:02x?}");
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |depth: usize| {
        let mut bytes = vec![0x81; depth - 1];
        bytes.push(0);
        bytes
    };
    assert!(Reader::new(&nested(MAX_DEPTH)).item().is_ok());
    assert_eq!(item_error(&nested(MAX_DEPTH + 1)), (MAX_DEPTH, ErrorKind::TooDeep));
    assert_eq!(item_error(&nested(100_000)).1, ErrorKind::TooDeep);
}

#[test]
fn integers_reach_their_bounds_and_no_further() {
    assert_eq!(Reader::new(b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff").unsigned(), Ok(u64::MAX));
    assert_eq!(Reader::new(b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff").integer(), Ok(i64::MIN));
    for bytes in [b"\x3b\x80\x00\x00\x00\x00\x00\x00\x00", b"\x1b\x80\x00\x00\x00\x00\x00\x00\x00"] {
        assert_eq!(Reader::new(bytes).integer(), Err(ErrorKind::IntegerRange.at(0)));
    }
    assert_eq!(Reader::new(b"\x18\xff").byte(), Ok(255));
    assert_eq!(Reader::new(b"\x19\x01\x00").byte(), Err(ErrorKind::IntegerRange.at(0)));
}

#[test]
fn wrong_types_are_refused_where_they_begin() {
    let refused = Err(ErrorKind::WrongType.at(7));
    let reader = || Reader::at(b"\xf5", 7);
    assert_eq!(reader().unsigned().map(|_| ()), refused);
    assert_eq!(reader().integer().map(|_| ()), refused);
    assert_eq!(reader().bytes().map(|_| ()), refused);
    assert_eq!(reader().text().map(|_| ()), refused);
    assert_eq!(reader().array().map(|_| ()), refused);
    assert_eq!(reader().map().map(|_| ()), refused);
    assert_eq!(reader().tag().map(|_| ()), refused);
    assert_eq!(reader().null(), refused);
    assert_eq!(Reader::at(b"\x41a", 7).bytes_of::<2>(), Err(ErrorKind::WrongLength.at(7)));
    assert_eq!(Reader::at(b"\x82\x00\x00", 7).array_of(3), Err(ErrorKind::WrongLength.at(7)));
    assert_eq!(Reader::at(b"\x61a", 7).text_of(2, 3), Err(ErrorKind::WrongLength.at(7)));
    assert_eq!(Reader::at(b"\x64abcd", 7).text_of(2, 3), Err(ErrorKind::WrongLength.at(7)));
    assert_eq!(Reader::at(b"\x00", 7).finish(), Err(ErrorKind::TrailingBytes.at(7)));
}

#[test]
fn maps_give_their_keys_in_order() {
    let bytes = encode(|writer| {
        writer.map(3).integer(1).text("one").integer(-1).text("minus").text("k").null();
    });
    let mut reader = Reader::new(&bytes);
    let mut map = reader.map().unwrap();
    assert_eq!(map.optional(&mut reader, 0), Ok(false));
    assert_eq!(map.required(&mut reader, 1), Ok(()));
    assert_eq!(reader.text(), Ok("one"));
    assert_eq!(map.key(&mut reader), Ok(Some(Key::Integer(-1))));
    assert_eq!(reader.text(), Ok("minus"));
    assert_eq!((map.left(), map.optional_key(&mut reader, Key::Text("k"))), (1, Ok(true)));
    assert_eq!(reader.null(), Ok(()));
    assert_eq!((map.key(&mut reader), map.end(&mut reader), reader.finish()), (Ok(None), Ok(()), Ok(())));

    let mut reader = Reader::new(&bytes);
    let mut map = reader.map().unwrap();
    assert_eq!(map.required(&mut reader, 2), Err(ErrorKind::MissingKey.at(1)));
    let mut reader = Reader::new(&bytes);
    let mut map = reader.map().unwrap();
    assert_eq!(map.end(&mut reader), Err(ErrorKind::UnknownKey.at(1)));
}

#[test]
fn nested_errors_count_from_the_outermost_byte() {
    // A byte string in an array, whose content is an array of one item that is cut off.
    let bytes = [0x82, 0x00, 0x42, 0x81, 0x18];
    let mut reader = Reader::new(&bytes);
    reader.array_of(2).and_then(|()| reader.unsigned()).unwrap();
    let mut inner = reader.nested().unwrap();
    inner.array_of(1).unwrap();
    assert_eq!(inner.unsigned(), Err(ErrorKind::UnexpectedEnd.at(5)));
}

#[derive(Clone, Debug)]
enum Value {
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
    Null,
    Array(Vec<Value>),
    Tag(u64, Box<Value>),
}

impl Value {
    fn write(&self, writer: &mut Writer) {
        match self {
            Value::Integer(value) => writer.integer(*value),
            Value::Bytes(value) => writer.bytes(value),
            Value::Text(value) => writer.text(value),
            Value::Null => writer.null(),
            Value::Array(values) => {
                writer.array(values.len() as u64);
                values.iter().for_each(|value| value.write(writer));
                writer
            }
            Value::Tag(number, value) => {
                value.write(writer.tag(*number));
                writer
            }
        };
    }

    /// The same value by another encoder.
    fn write_peer(&self, peer: &mut minicbor::Encoder<Vec<u8>>) {
        match self {
            Value::Integer(value) => peer.i64(*value).map(|_| ()),
            Value::Bytes(value) => peer.bytes(value).map(|_| ()),
            Value::Text(value) => peer.str(value).map(|_| ()),
            Value::Null => peer.null().map(|_| ()),
            Value::Array(values) => {
                peer.array(values.len() as u64).unwrap();
                values.iter().for_each(|value| value.write_peer(peer));
                Ok(())
            }
            Value::Tag(number, value) => {
                peer.tag(minicbor::data::Tag::new(*number)).unwrap();
                value.write_peer(peer);
                Ok(())
            }
        }
        .unwrap();
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        (-300_i64..300).prop_map(Value::Integer),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        ".{0,40}".prop_map(Value::Text),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::Array),
            (any::<u64>(), inner).prop_map(|(number, value)| Value::Tag(number, Box::new(value))),
        ]
    })
}

proptest! {
    #[test]
    fn the_writer_agrees_with_minicbor_and_the_reader_takes_it(value in values()) {
        let bytes = encode(|writer| value.write(writer));
        let mut peer = minicbor::Encoder::new(Vec::new());
        value.write_peer(&mut peer);
        prop_assert_eq!(&bytes, peer.writer());
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.item(), Ok(&bytes[..]));
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn what_the_reader_takes_minicbor_takes_too(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut reader = Reader::new(&bytes);
        if let Ok(item) = reader.item() {
            let mut peer = minicbor::Decoder::new(&bytes);
            prop_assert!(peer.skip().is_ok());
            prop_assert_eq!(peer.position(), item.len());
            prop_assert_eq!(reader.offset(), item.len());
        }
    }
}
