use super::*;
use crate::keys::PrivateKey;
use crate::trust::{NewKey, Trust};

/// A card that does what ISO/IEC 7816-4 says, or what is asked for.
struct Card {
    file: Vec<u8>,
    selected: [u8; 2],
    /// Bytes that it gives at once.
    piece: usize,
    /// Answers the first READ with 6Cxx.
    insists: bool,
    /// What it says to a read at the end of the file.
    end: u16,
}

impl Transport for Card {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, String> {
        let status = |code: u16| code.to_be_bytes().to_vec();
        Ok(match *command {
            [0, 0xA4, 0, 0x0C, 2, a, b] if [a, b] == [0x3F, 0] || [a, b] == FILE_ID => {
                self.selected = [a, b];
                status(0x9000)
            }
            [0, 0xA4, ..] => status(0x6A82),
            [0, 0xB0, high, low, length] if self.selected == FILE_ID => {
                let at = usize::from(u16::from_be_bytes([high, low]));
                let rest = self.file.get(at..).unwrap_or_default();
                if rest.is_empty() {
                    return Ok(status(self.end));
                }
                let piece = self.piece.min(rest.len());
                if self.insists && length == 0 && piece < 256 {
                    return Ok(status(0x6C00 | piece as u16));
                }
                let mut answer = rest[..piece].to_vec();
                answer.extend(status(if rest.len() < self.piece { 0x6282 } else { 0x9000 }));
                answer
            }
            _ => status(0x6D00),
        })
    }
}

fn trust_file() -> Vec<u8> {
    let key = NewKey { public: PrivateKey::from_seed(&[1; 32]).public(), role: "oem".into(), owner: None, epoch_floor: None };
    Trust::new(key).unwrap().to_bytes().unwrap()
}

fn card(file: Vec<u8>) -> Card {
    Card { file, selected: [0, 0], piece: 256, insists: false, end: 0x6B00 }
}

#[test]
fn the_record_is_read_however_the_card_cuts_it() {
    let trust = trust_file();
    for size in [None, Some(256), Some(512), Some(700)] {
        let content = trust_card::write(&trust, size).unwrap();
        for (piece, insists, end) in [(256, false, 0x6B00), (17, false, 0x9000), (100, true, 0x6B00), (256, true, 0x9000)] {
            let mut card = Card { piece, insists, end, ..card(content.clone()) };
            assert_eq!(read_trust(&mut card), Ok(trust.clone()), "{size:?} {piece} {insists}");
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(read_trust(&mut card(vec![0xff; 300])), Err(Error::Content(trust_card::Error::Blank)));
    assert_eq!(read_trust(&mut card(Vec::new())), Err(Error::Status { what: "READ BINARY", status: 0x6B00 }));
    assert_eq!(read_trust(&mut card(vec![0xff; 40_000])), Err(Error::TooLong));
    struct Other(&'static [u8]);
    impl Transport for Other {
        fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
            if self.0.is_empty() { Err("gone".into()) } else { Ok(self.0.to_vec()) }
        }
    }
    assert_eq!(read_trust(&mut Other(&[0x6A, 0x82])), Err(Error::Status { what: "SELECT", status: 0x6A82 }));
    assert_eq!(read_trust(&mut Other(&[0x90])), Err(Error::Short(1)));
    assert_eq!(read_trust(&mut Other(&[])), Err(Error::Transport("gone".into())));
}
