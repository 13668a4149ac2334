//! Views of an image in which references are blanked out or replaced by what they mean.

use sealift_formats::compact::data;
use sealift_formats::compact::header::Parameters;
use sealift_formats::isa::{AnyModel, Kind, Reference, ReferenceModel, Window};

/// Calls `each` for every reference of the image, in order.
pub(crate) fn references(image: &[u8], parameters: &Parameters, model: &AnyModel, mut each: impl FnMut(usize, &Reference, bool)) {
    let mut model = model.clone();
    model.reset();
    let unit = model.unit().max(1);
    let mut at = 0;
    let size = crate::compact::narrow(image.len());
    while at < image.len() {
        let address = parameters.base.wrapping_add(u64::try_from(at).unwrap_or(0));
        let window = Window::new(image, at);
        let (mut advance, reference) = model.scan(address, &window);
        let looked = data::look(parameters, size, address, &window, reference);
        advance = looked.advance.map_or(advance, crate::compact::index);
        // Weak readings are left as they are.
        let reference = looked.found.into_iter().flatten().next().filter(|found| !data::is_weak(found));
        let data = reference.is_some_and(|found| matches!(found.kind, Kind::Pointer32 | Kind::Pointer64));
        if let Some(found) = reference
            && at + usize::from(found.width) <= image.len()
        {
            each(at, &found, data);
        }
        at += advance.max(1).next_multiple_of(unit);
    }
}

/// The image with operand bits replaced by those of `token` (nothing: blanked). A token of `None` leaves the bytes alone.
#[must_use]
pub(crate) fn view(image: &[u8], parameters: &Parameters, model: &AnyModel, token: impl Fn(&Reference) -> Option<u32>) -> Vec<u8> {
    let mut out = image.to_vec();
    references(image, parameters, model, |at, found, data| {
        let Some(token) = token(found) else { return };
        let width = usize::from(found.width);
        let mut kept = [0_u8; 8];
        let mut ones = [0xff_u8; 8];
        let (Some(bytes), Some(kept), Some(ones)) = (out.get_mut(at..at + width), kept.get_mut(..width), ones.get_mut(..width)) else {
            return;
        };
        kept.copy_from_slice(bytes);
        if data {
            kept.fill(0);
            ones.fill(0);
        } else {
            model.mask(found, kept);
            model.mask(found, ones);
        }
        let token = token.wrapping_mul(0x9e37_79b1).to_le_bytes();
        for (place, ((byte, kept), ones)) in bytes.iter_mut().zip(kept).zip(ones).enumerate() {
            let token = token.get((place + 1) % 4).copied().unwrap_or(0);
            *byte = (*kept & *ones) | (token & !*ones);
        }
    });
    out
}
