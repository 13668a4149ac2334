//! Type information of Linux kernels (SPEC sections 4.26 to 4.31).

mod order;
mod section;
mod shape;

use super::class::Class;
use super::model::Model;
use super::numbers::unfold;

/// A section in one of the images; all in bytes but `count`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) at: u32,
    pub(super) types: u32,
    pub(super) strings: u32,
    /// Types.
    pub(super) count: u32,
}

impl Extent {
    pub(super) fn end(&self) -> u32 {
        self.at + HEADER + self.types + self.strings
    }

    fn check(&self, image_size: u64) -> Result<(), String> {
        let end = u64::from(self.at) + u64::from(HEADER) + u64::from(self.types) + u64::from(self.strings);
        if self.types % 4 != 0 || self.count >= (1 << 26) - 1 || self.strings == 0 || end > image_size {
            return Err("type information does not fit its image".into());
        }
        Ok(())
    }
}

/// Bytes of a section's header.
const HEADER: u32 = 24;

/// A string of the old section.
#[derive(Debug, Clone, Copy)]
struct OldString {
    /// In the old strings.
    offset: u32,
    /// Without the zero byte.
    length: u32,
}

/// What is known before the section's first byte is made.
pub(super) struct Section {
    pub(super) new: Extent,
    old: Extent,
    /// Offsets of the old types in the old image, that of type 1 first.
    types: Vec<u32>,
    strings: Vec<OldString>,
    /// By number of an old type: the number of the new one made from it.
    new_number: Vec<u32>,
    /// By number of a new type: the number of the old one.
    template: Vec<u32>,
}

/// Section 4.28.
pub(super) fn prepare(model: &mut Model<'_>, class: &Class, old_image: &[u8], new_size: u64) -> Result<Section, String> {
    if class.type_words == 0 {
        return Err("type information is for the largest RAM class alone".into());
    }
    let at = wide(model, 0);
    let count = wide(model, 0);
    let old_strings = wide(model, 0);
    let types = word(old_image, at.saturating_add(12));
    let strings = word(old_image, at.saturating_add(20));
    let old = Extent { at, types, strings, count };
    let mut moved = |from: u32| from.wrapping_add(unfold(wide(model, 1)));
    let new = Extent { at: moved(at), types: moved(types), strings: moved(strings), count: moved(count) };
    old.check(old_image.len() as u64)?;
    new.check(new_size)?;
    let [old_count, new_count, string_count] = [old.count, new.count, old_strings].map(u64::from);
    if (old_count + new_count + 2).max(string_count) + string_count + old_count / 16 + string_count / 16 + 2 > class.type_words {
        return Err("too much type information".into());
    }
    let mut section = Section {
        types: old_types(old_image, &old)?,
        strings: strings_of(old_image, &old, old_strings)?,
        new_number: vec![0; old.count as usize + 1],
        template: vec![0; new.count as usize + 1],
        new,
        old,
    };
    order::read(&mut section, model, old_image);
    Ok(section)
}

fn old_types(old_image: &[u8], old: &Extent) -> Result<Vec<u32>, String> {
    let mut types = Vec::new();
    let mut at = old.at + HEADER;
    for _ in 0..old.count {
        if at >= old.at + HEADER + old.types {
            return Err("an old type is outside its section".into());
        }
        types.push(at);
        at = at.saturating_add(shape::words(word(old_image, at.saturating_add(4))) * 4);
    }
    Ok(types)
}

fn strings_of(old_image: &[u8], old: &Extent, count: u32) -> Result<Vec<OldString>, String> {
    let start = old.at + HEADER + old.types;
    let mut strings = Vec::new();
    let mut offset = 0;
    for _ in 0..count {
        let rest = old_image.get((start + offset) as usize..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == 0).ok_or("an old string has no end")? as u32;
        if length > 4095 || offset + (length - length % 128) >= old.strings {
            return Err("an old string is too long or outside its section".into());
        }
        strings.push(OldString { offset, length });
        offset += length + 1;
    }
    Ok(strings)
}

/// The little-endian word at `x`, 0 when it is not wholly in the image.
fn word(image: &[u8], x: u32) -> u32 {
    let x = x as usize;
    image.get(x..x + 4).map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// A number of 32 bits in halves (section 4.26).
fn wide(model: &mut Model<'_>, near: u32) -> u32 {
    let high = model.number(11, near) & 0xFFFF;
    let low = model.number(if high > 0 { 13 } else { 12 }, near) & 0xFFFF;
    (high << 16) | low
}
