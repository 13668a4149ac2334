//! An applier of patches in place, in memory: a slot, scratch for one batch, and the body decoder.

use sealift_formats::compact::arithmetic::{DecoderState, Source};
use sealift_formats::compact::body::BodyError;
use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::kept::{KeptImage, Layered};
use sealift_formats::compact::old_image::OldImage;
use sealift_formats::compact::parameters::model;
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::patch::{Header, Parsed};

use super::{crc32, unchain};

/// What applying a patch took.
pub(crate) struct Applied {
    pub(crate) new: Vec<u8>,
    /// Sectors that were made, in their order.
    pub(crate) order: Vec<u32>,
    /// Sectors of scratch, those for kept bytes included.
    pub(crate) scratch: u32,
    /// Bytes kept.
    pub(crate) kept: u32,
    /// Bytes of the payload that were not used up.
    pub(crate) left: usize,
}

/// The slot, and the kept bytes.
struct Slot(Vec<u8>, Vec<u8>);

impl OldImage for Slot {
    fn read(&mut self, offset: u32, buffer: &mut [u8]) -> bool {
        (&*self.0).read(offset, buffer)
    }
}

impl KeptImage for Slot {
    fn read_kept(&mut self, place: u32, buffer: &mut [u8]) -> bool {
        (&*self.1).read(place, buffer)
    }
}

struct Feed<'a>(&'a [u8]);

impl Source for Feed<'_> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }
}

/// Applies a patch in place. Panics where the patch is not what SPEC says.
pub(crate) fn apply(old: &[u8], patch: &[u8]) -> Applied {
    let body = unchain(patch);
    let Ok(Parsed::Complete { header, length }) = Header::parse(&body) else { panic!("the header") };
    assert_eq!((body.len() - length) as u64, header.payload_size);
    assert_eq!((header.old_size, header.old_crc), (old.len() as u64, crc32(old)));
    let applied = decode(old, &header, &body[length..]).expect("a payload that can be decoded");
    assert!(applied.left == 0, "{} bytes of the payload are left", applied.left);
    assert_eq!(crc32(&applied.new), header.new_crc, "the new image");
    applied
}

/// Decodes a payload, whatever it holds.
pub(crate) fn decode(old: &[u8], header: &Header<'_>, payload: &[u8]) -> Result<Applied, BodyError> {
    let layout = header.in_place.expect("a patch in place");
    let (sector_size, new_size) = (layout.sector_size() as usize, header.new_size as usize);
    let parameters = Parameters::of_header(header).unwrap();
    let class = parameters.class().unwrap();
    let mut tables = OwnedTables::new(&class);
    let mut slot = old.to_vec();
    // What is behind the old image must not matter.
    slot.resize(old.len().max(new_size).next_multiple_of(sector_size), 0xA5);
    let kept: Vec<u8> = layout.kept().flat_map(|kept| &old[kept.old as usize..][..kept.length as usize]).copied().collect();
    assert_eq!(kept.len(), layout.kept_size() as usize);
    let kept_sectors = kept.len().div_ceil(sector_size) as u32;
    let image = Layered { image: Slot(slot, kept), kept: layout.kept() };
    let mut body = tables.tables().body(parameters, &class, model(header.instruction_set).unwrap(), image).unwrap();
    let mut feed = Feed(payload);
    let mut state = DecoderState::start(&mut feed);
    while !body.finished() {
        body.step(&mut state.with(&mut feed), &mut [])?;
    }
    let order: Vec<u32> = layout.sectors().collect();
    for batch in order.chunks(layout.batch_sectors() as usize) {
        let mut scratch = Vec::new();
        for &sector in batch {
            let start = sector as usize * sector_size;
            let size = sector_size.min(new_size - start);
            let mut made = vec![0xFF; sector_size];
            let mut filled = 0;
            body.enter(start as u32);
            while !body.finished() {
                filled += body.step(&mut state.with(&mut feed), &mut made[filled..size])?;
            }
            assert_eq!(filled, size, "sector {sector}");
            scratch.push((start, made));
        }
        for (start, made) in scratch {
            body.old_image_mut().image.0[start..start + sector_size].copy_from_slice(&made);
        }
    }
    assert!(!body.failed());
    let new = body.old_image_mut().image.0[..new_size].to_vec();
    Ok(Applied { new, order, scratch: layout.batch_sectors() + kept_sectors, kept: layout.kept_size(), left: feed.0.len() })
}
