//! Rehearsals: an update is installed on simulated devices, by the code that a bootloader links, with the power cut on the way.
//!
//! Every device is laid out as small as the update allows. After each cut it must start the old or the new image, or (in place, half way)
//! ask for the rest of the patch and then start the new one; sequence floor and confirmation must be as they were promised.

mod chips;
mod device;
mod estimate;
mod life;
mod set;
mod sweep;

pub use device::{CpuProfile, DeviceProfile, FlashProfile, RadioProfile};
pub use estimate::{Cost, Estimate};
pub use life::Brick;
pub use set::SetUpdate;
pub use sweep::{Cuts, Path, Sweep};

use sealift_formats::compact::header::Class;
use sealift_formats::manifest::ImageId;
use sealift_formats::patch::{Geometry, Header, Parsed, Profile, first_chunk};
use sealift_sim::Part;
use sealift_verify::applier::Expected;
use sealift_verify::storage::Region;
use sealift_verify::update::{Goal, Install, Pending, Settings};
use sealift_zstd::ZstdDecompressor;

use crate::install::class_of;
use crate::package::image_id;
use chips::SimulatedChips;
use device::{Needs, lay_out};
use life::{BufferSizes, Life, Scenario};
use sweep::{Choice, Depth, Everywhere, Lives, Never, Sometimes};

/// A patch could not be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no patch.
    #[error("not a patch of ours: its header cannot be read")]
    Patch,
    /// Images of another number of components.
    #[error("old images of {found} components are given, the package has {expected}")]
    Components {
        /// Components of the images.
        found: usize,
        /// Components of the package.
        expected: usize,
    },
    /// The patch cannot be installed on the device at all, even with the power on.
    #[error("on device {device}, {way}: {brick}", brick = .brick.0)]
    Impossible {
        /// The device's name.
        device: String,
        /// How it was to be installed.
        way: Way,
        /// What the device's code said.
        brick: Brick,
    },
}

/// How an image gets where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To the secondary slot, then copied over the primary one.
    Overwrite,
    /// To the secondary slot, then swapped.
    Swap,
    /// To the secondary slot, then swapped; the new image does not confirm itself and is taken back.
    Revert,
    /// In place.
    InPlace,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Overwrite => "overwrite",
            Self::Swap => "swap",
            Self::Revert => "swap and revert",
            Self::InPlace => "in place",
        })
    }
}

/// An update to be rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The old image.
    pub old: &'a [u8],
    /// The patch.
    pub patch: &'a [u8],
    /// What the device knows of it.
    pub goal: Goal,
}

/// How thoroughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thoroughness {
    /// Cuts.
    pub cuts: Cuts,
    /// After each cut the recovery is cut again, about so many times for as many operations as the whole update has.
    pub again: u64,
    /// Seed of all that is left to chance.
    pub seed: u64,
}

/// What a rehearsal came to.
#[derive(Debug)]
pub struct Rehearsal {
    /// The device's name.
    pub device: String,
    /// How the update was installed.
    pub way: Way,
    /// The cuts.
    pub sweep: Sweep,
    /// What the update costs without a cut.
    pub cost: Cost,
}

impl<'a> Update<'a> {
    /// An update that nobody has signed: for tests of the engine itself.
    #[must_use]
    pub fn vouched(old: &'a [u8], new: &[u8], patch: &'a [u8]) -> Option<Self> {
        let Ok(Parsed::Complete { header, .. }) = Header::parse(patch) else { return None };
        let first = first_chunk(patch, header.chunk_log2);
        let apply = sealift_formats::manifest::ApplyArguments {
            chunk_log2: header.chunk_log2,
            first_chunk: image_id(first).digest,
            profile: header.profile,
            ram_log2: header.ram_log2,
            instruction_set: header.instruction_set,
            sector_log2: header.in_place.map_or(0, |layout| layout.sector_log2()),
        };
        let old_id = (header.old_size > 0).then(|| image_id(old));
        let expected = Expected { patch: image_id(patch), old: old_id, new: image_id(new), apply };
        let pending = Pending { new: image_id(new), manifest: image_id(first).digest, sequence: 7, security_counter: 3 };
        Some(Self { old, patch, goal: Goal { expected, pending } })
    }

    /// The ways in which this patch can be installed.
    ///
    /// # Errors
    /// When it is no patch.
    pub fn ways(&self) -> Result<Vec<Way>, Error> {
        Ok(if header(self.patch)?.in_place.is_some() { vec![Way::InPlace] } else { vec![Way::Overwrite, Way::Swap, Way::Revert] })
    }

    /// Rehearses the update on one device, in one way.
    ///
    /// # Errors
    /// When it is no patch, or cannot be installed even with the power on.
    pub fn rehearse(&self, profile: &DeviceProfile, way: Way, thoroughness: Thoroughness) -> Result<Rehearsal, Error> {
        let (scenario, parts) = self.scenario(profile, way)?;
        let impossible = |brick| Error::Impossible { device: profile.name.clone(), way, brick };
        let (sweep, life, worn) = thoroughness.sweep(&scenario, &parts, scenario.layout.journal).map_err(impossible)?;
        let engine = size_of::<sealift_verify::update::Update<'_, '_, '_, SimulatedChips<'_>, ZstdDecompressor>>();
        let cost = Cost::new(&[scenario.layout], &scenario.buffers, engine, self.goal.pending.new.size, &worn, &life);
        Ok(Rehearsal { device: profile.name.clone(), way, sweep, cost })
    }

    /// The update on a device that leaves the factory with the old image.
    fn scenario(&self, profile: &DeviceProfile, way: Way) -> Result<(Scenario<'a>, Vec<Part>), Error> {
        let header = header(self.patch)?;
        let install = match way {
            Way::Overwrite => Some(Install::Overwrite),
            Way::Swap | Way::Revert => Some(Install::Swap),
            Way::InPlace => None,
        };
        let class = class_of(&header);
        let saved = saved_class(&header);
        let in_place = header.in_place.map_or([0, 0], |layout| {
            let sector = layout.sector_size();
            let kept = u64::from(layout.kept_size()).next_multiple_of(sector);
            [sector, u64::from(layout.batch_sectors().min(layout.listed()).max(1)) * sector + kept]
        });
        let image = self.goal.pending.new.size.max(self.old.len() as u64);
        let (parts, layouts) = lay_out(profile, &[Needs { image, install, in_place, header: HEADER_BYTES, class: saved }]);
        let [layout] = layouts[..] else { unreachable!("one component has one layout") };
        let settings = Settings { install: install.unwrap_or_default(), save_every: profile.save_every, trial_starts: 1 };
        let scenario = Scenario {
            layout,
            settings,
            goal: self.goal,
            old: image_id(self.old),
            patch: self.patch,
            buffers: buffers(&header, self.patch, class),
            tail: tail(self, header.in_place.map_or(1, |layout| layout.sector_size())),
            confirms: way != Way::Revert,
            piece: PIECE_BYTES,
        };
        let impossible = |brick| Error::Impossible { device: profile.name.clone(), way, brick };
        let parts = scenario.factory(parts, self.old).map_err(impossible)?;
        Ok((scenario, parts))
    }
}

impl Thoroughness {
    /// Lives without a cut, and with them. Returns the life without a cut too, and its flash. `journal`: where cuts are, if they are to be there.
    fn sweep(self, device: &impl Lives, parts: &[Part], journal: Region) -> Result<(Sweep, Life, Vec<Part>), Brick> {
        let Self { cuts, again, seed } = self;
        let operations = device.live(parts.to_vec(), None)?.1.operations();
        // How rare a cut must be for so many of them.
        let one_in = |count: u64| operations.checked_div(count).map_or(0, |one_in| one_in.max(1));
        let all = Everywhere { seed };
        let some = match cuts {
            Cuts::Journal(count) => Sometimes { seed, one_in: one_in(count), always: Some(journal) },
            Cuts::Some(count) => Sometimes { seed, one_in: one_in(count), always: None },
            Cuts::All | Cuts::None => Sometimes { seed, one_in: 0, always: None },
        };
        let first: &dyn Choice = match cuts {
            Cuts::All => &all,
            Cuts::Some(_) | Cuts::Journal(_) => &some,
            Cuts::None => &Never,
        };
        let again = Sometimes { seed: !seed, one_in: one_in(again), always: None };
        device.sweep(parts, Depth { first, second: &again })
    }
}

/// The class of the state that an update saves. Profile `fast` saves none.
fn saved_class(header: &Header<'_>) -> Option<Class> {
    class_of(header).filter(|_| header.profile == Profile::Compact)
}

/// What lies behind the new image in its last sector, if that is one that the patch must make.
fn tail(update: &Update<'_>, sector: u64) -> std::ops::Range<usize> {
    let size = update.goal.pending.new.size;
    let end = if size > update.old.len() as u64 { size.next_multiple_of(sector) } else { size };
    let index = |at: u64| usize::try_from(at).expect("flash is below 4 GiB");
    index(size)..index(end)
}

fn header(patch: &[u8]) -> Result<Header<'_>, Error> {
    match Header::parse(patch) {
        Ok(Parsed::Complete { header, .. }) => Ok(header),
        _ => Err(Error::Patch),
    }
}

/// Number of the rejection when a cut bricks a device. It is the host's own: devices know no such reason.
pub const BRICKED: u16 = 900;
/// Number of the rejection when an update cannot be installed even with the power on.
pub const IMPOSSIBLE: u16 = 901;

/// Memory that the patch needs.
fn buffers(header: &Header<'_>, patch: &[u8], class: Option<Class>) -> BufferSizes {
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let chunk = Geometry::of_patch(patch.len() as u64, header.chunk_log2).map_or(patch.len() as u64, |geometry| geometry.chunk_size.min(geometry.patch_size));
    let group = size(header.group_size().min(header.new_size).max(1));
    // Profile `compact` decodes through a small buffer and has its segments in its tables.
    let (group, segments) = match header.profile {
        Profile::Compact => (group.min(GROUP_BYTES), 0),
        Profile::Fast => (group, SEGMENTS),
    };
    BufferSizes { chunk: size(chunk.max(1)), group, segments, scratch: size(HEADER_BYTES), class }
}

/// Bytes that a patch header has at most, in place included.
const HEADER_BYTES: u64 = 1280;
/// The buffer for groups of profile `compact`.
const GROUP_BYTES: usize = 512;
/// Segments of profile `fast` that a rehearsed device has room for.
const SEGMENTS: usize = 1 << 16;
/// Bytes of the patch that come at once.
const PIECE_BYTES: usize = 1024;

/// A seed from an image or patch, so that a rehearsal of the same one is the same.
#[must_use]
pub fn seed_of(image: &ImageId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = image.digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
