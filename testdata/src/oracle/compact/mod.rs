//! Profile `compact` (SPEC section 4).

mod body;
mod caches;
mod calls;
mod class;
mod coder;
mod copy;
mod gap;
mod in_place;
mod isa;
mod logistic;
mod map;
mod model;
mod numbers;
mod predictor;
mod references;
mod types;
mod words;

use super::header::Header;
use super::input::Input;
use class::Class;

/// The profile's parameters (section 4.1).
#[derive(Debug, Clone, Copy)]
struct Parameters {
    data: u8,
    /// Base-2 logarithm of the range's size in bytes; 0: none.
    ram_size: u8,
    /// Bits 16 to 31 of the range's start.
    ram: u32,
}

/// The whole payload.
pub(super) fn decode(header: &Header, input: &mut Input<'_>, old: &[u8]) -> Result<Vec<u8>, String> {
    let parameters = read_parameters(&header.parameters)?;
    let class = Class::of(header.ram_log2);
    if header.old_size >= class.image_limit() || header.new_size >= class.image_limit() {
        return Err("an image is too long for the RAM class".into());
    }
    if header.base_shift != 0 {
        return Err(format!("base_shift {} is not 0", header.base_shift));
    }
    if header.group_size > 1 << 24 {
        return Err("groups are too long".into());
    }
    let payload = input.bytes(input.remaining())?;
    if payload.last() == Some(&0) {
        return Err("the payload ends with a byte 0".into());
    }
    match &header.in_place {
        None => body::decode(header, parameters, &class, payload, old),
        Some(layout) => in_place::decode(header, parameters, &class, payload, old, layout),
    }
}

fn read_parameters(bytes: &[u8]) -> Result<Parameters, String> {
    let (data, ram_size, ram) = match *bytes {
        [data, 0] => (data, 0, 0),
        [data, ram_size, low, high] if (8..=31).contains(&ram_size) => (data, ram_size, u32::from(u16::from_le_bytes([low, high]))),
        _ => return Err("the parameters are not those of profile compact".into()),
    };
    if data & !31 != 0 {
        return Err(format!("references {data:#04x} are unknown"));
    }
    Ok(Parameters { data, ram_size, ram })
}
