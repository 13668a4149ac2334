//! PowerPC, big endian (SPEC section 4.25).

use super::operand::{bit, extend, fits, put};
use super::{Isa, Window};
use crate::oracle::compact::references::{Reference, kind};

pub(super) struct PowerPc;

mod form {
    pub(super) const I: u8 = 0;
    pub(super) const B: u8 = 1;
}

impl Isa for PowerPc {
    fn unit(&self) -> u64 {
        4
    }

    fn reset(&mut self) {}

    fn scan(&mut self, address: u64, window: &Window<'_>) -> (u32, Option<Reference>) {
        (4, window.word(0).and_then(|word| find(address, word.swap_bytes())))
    }

    fn retarget(&self, reference: &Reference, bytes: &mut [u8], address: u64, target: u64) {
        let word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let d = target.wrapping_sub(address);
        let bits = if reference.form == form::I { 26 } else { 16 };
        if d & 3 == 0 && fits(d, bits) {
            bytes.copy_from_slice(&put(word, 2, bits - 2, d >> 2).to_be_bytes());
        }
    }
}

fn find(address: u64, word: u32) -> Option<Reference> {
    if bit(word, 1) == 1 {
        return None;
    }
    let call = bit(word, 0) == 1;
    let (kind, form, offset) = match word >> 26 {
        18 => (if call { kind::CALL } else { kind::JUMP }, form::I, extend((word & 0x03FF_FFFC).into(), 26)),
        16 if word != 0x429F_0005 => (if call { kind::CALL } else { kind::SHORT }, form::B, extend((word & 0xFFFC).into(), 16)),
        _ => return None,
    };
    Some(Reference { kind, form, width: 4, target: address.wrapping_add(offset) })
}
