//! Temporary stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment { pub old_start: u64, pub new_start: u64, pub length: u64 }
pub(crate) fn varint(mut v: u64, out: &mut Vec<u8>) { loop { let b=(v&127) as u8; v>>=7; if v==0 { out.push(b); return } out.push(b|128) } }
pub(crate) fn zigzag(v: i64, out: &mut Vec<u8>) { varint(((v<<1)^(v>>63)) as u64, out) }
