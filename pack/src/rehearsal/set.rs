//! Updates of several components: slots and a journal for each on the same flash, and all of them updated or none.

use std::cell::RefCell;

use sealift_formats::compact::header::Class;
use sealift_formats::manifest::ImageId;
use sealift_sim::Part;
use sealift_verify::VerifiedSet;
use sealift_verify::update::{self, Boot, Device, Install, Layout, Next, Phase, Set, Settings};
use sealift_zstd::ZstdDecompressor;

use super::chips::{Observer, SimulatedChips};
use super::device::{Needs, lay_out};
use super::estimate::Cost;
use super::life::{self, Brick, BufferSizes, Life, OwnedMemory, decompressors, hand_over};
use super::sweep::Lives;
use super::{DeviceProfile, Error, HEADER_BYTES, PIECE_BYTES, Rehearsal, Thoroughness, Way, buffers, header, saved_class};
use crate::package::image_id;

/// An update of several components to be rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct SetUpdate<'a> {
    old: &'a [&'a [u8]],
    package: &'a [u8],
    verified: &'a VerifiedSet<'a>,
}

/// One update on one device.
struct Scenario<'a> {
    components: Vec<Component<'a>>,
    layouts: Vec<Layout>,
    settings: Settings,
    verified: &'a VerifiedSet<'a>,
    buffers: BufferSizes,
    /// Whether the new images confirm themselves; if not, they are to be taken back.
    confirms: bool,
}

/// What a component is before the update and after it, and its patch.
struct Component<'a> {
    name: &'a str,
    old: ImageId,
    new: ImageId,
    patch: &'a [u8],
}

type Chips<'o> = RefCell<SimulatedChips<'o>>;

impl<'a> SetUpdate<'a> {
    /// An update of a device that runs `old`, in the order of the manifest; an empty image where a slot holds none.
    ///
    /// # Errors
    /// [`Error::Components`]: so many images are not those of the package.
    pub fn new(old: &'a [&'a [u8]], package: &'a [u8], verified: &'a VerifiedSet<'a>) -> Result<Self, Error> {
        let expected = verified.manifest().count();
        if old.len() == expected { Ok(Self { old, package, verified }) } else { Err(Error::Components { found: old.len(), expected }) }
    }

    /// The ways in which such updates are installed.
    pub const WAYS: [Way; 3] = [Way::Overwrite, Way::Swap, Way::Revert];

    /// Rehearses the update on one device, in one way.
    ///
    /// # Errors
    /// A patch is none, the package has them not inside it, or it cannot be installed even with the power on.
    pub fn rehearse(&self, profile: &DeviceProfile, way: Way, thoroughness: Thoroughness) -> Result<Rehearsal, Error> {
        let impossible = |brick| Error::Impossible { device: profile.name.clone(), way, brick };
        let (scenario, parts) = self.scenario(profile, way)?;
        let parts = scenario.factory(parts, self.old).map_err(impossible)?;
        let journal = scenario.layouts.last().ok_or(Error::Patch)?.journal;
        let (sweep, life, worn) = thoroughness.sweep(&scenario, &parts, journal).map_err(impossible)?;
        let count = scenario.components.len();
        let engine = size_of::<update::Update<'_, '_, '_, SimulatedChips<'_>, ZstdDecompressor>>()
            + count * size_of::<update::Part<'_, '_, SimulatedChips<'_>>>()
            + size_of::<Set<'_, '_, '_, SimulatedChips<'_>>>();
        let new_bytes = scenario.components.iter().map(|component| component.new.size).sum();
        let cost = Cost::new(&scenario.layouts, &scenario.buffers, engine, new_bytes, &worn, &life);
        Ok(Rehearsal { device: profile.name.clone(), way, sweep, cost })
    }

    fn scenario(&self, profile: &DeviceProfile, way: Way) -> Result<(Scenario<'a>, Vec<Part>), Error> {
        let install = if way == Way::Overwrite { Install::Overwrite } else { Install::Swap };
        let (mut components, mut needs, mut memory) = (Vec::new(), Vec::new(), None);
        for (index, old) in self.old.iter().enumerate() {
            let component = self.verified.component(index).ok_or(Error::Patch)?;
            let payload = component.report().payload.ok_or(Error::Patch)?;
            let size = usize::try_from(payload.size).map_err(|_| Error::Patch)?;
            let patch = self.package.get(payload.offset..).and_then(|rest| rest.get(..size)).ok_or(Error::Patch)?;
            let header = header(patch)?;
            let image = component.new.size.max(old.len() as u64);
            needs.push(Needs { image, install: Some(install), in_place: [0, 0], header: HEADER_BYTES, class: saved_class(&header) });
            let own = buffers(&header, patch, crate::install::class_of(&header));
            memory = Some(memory.map_or(own, |all| larger(all, own)));
            components.push(Component { name: component.component, old: image_id(old), new: component.new, patch });
        }
        let (parts, layouts) = lay_out(profile, &needs);
        let settings = Settings { install, save_every: profile.save_every, trial_starts: 1 };
        let (verified, buffers) = (self.verified, memory.ok_or(Error::Patch)?);
        Ok((Scenario { components, layouts, settings, verified, buffers, confirms: way != Way::Revert }, parts))
    }
}

/// The same memory serves one component after the other: larger tables are used in part.
fn larger(one: BufferSizes, two: BufferSizes) -> BufferSizes {
    let class = |one: Class, two: Class| Class {
        ram: one.ram.max(two.ram),
        slots: one.slots.max(two.slots),
        segments: one.segments.max(two.segments),
        wide: one.wide || two.wide,
        indexed: one.indexed || two.indexed,
        cache: one.cache.max(two.cache),
        words: one.words.max(two.words),
        calls: one.calls.max(two.calls),
        types: one.types.max(two.types),
    };
    BufferSizes {
        chunk: one.chunk.max(two.chunk),
        group: one.group.max(two.group),
        segments: one.segments.max(two.segments),
        scratch: one.scratch.max(two.scratch),
        class: match (one.class, two.class) {
            (Some(one), Some(two)) => Some(class(one, two)),
            (one, two) => one.or(two),
        },
    }
}

impl Lives for Scenario<'_> {
    fn live<'o>(&self, parts: Vec<Part>, observer: Option<Observer<'o>>) -> Result<(Life, SimulatedChips<'o>), Brick> {
        life::live(parts, observer, |chips, life| self.one_start(chips, life))
    }
}

impl Scenario<'_> {
    fn devices<'c, 'o>(&self, chips: &'c Chips<'o>) -> Result<Vec<update::Part<'_, 'c, SimulatedChips<'o>>>, Brick> {
        let mut parts = Vec::new();
        for (layout, component) in self.layouts.iter().zip(&self.components) {
            parts.push(update::Part { name: component.name, device: Device::open(chips, *layout, self.settings)? });
        }
        Ok(parts)
    }

    /// A device as it leaves the factory, with the old images.
    fn factory(&self, mut parts: Vec<Part>, old: &[&[u8]]) -> Result<Vec<Part>, Brick> {
        for (layout, old) in self.layouts.iter().zip(old) {
            parts[0].preload(usize::try_from(layout.primary.start).expect("flash is in memory"), old);
        }
        let chips = RefCell::new(SimulatedChips::new(parts, None));
        for (part, component) in self.devices(&chips)?.iter_mut().zip(&self.components) {
            part.device.provision(component.old, 0, 0)?;
        }
        let mut parts = chips.into_inner().parts;
        parts.iter_mut().for_each(Part::reset_counters);
        Ok(parts)
    }

    /// Whether every primary slot holds its image, to the byte: looked at without the device's code.
    fn holds(&self, chips: &Chips<'_>, image: impl Fn(&Component<'_>) -> ImageId) -> bool {
        let chips = chips.borrow();
        self.layouts.iter().zip(&self.components).all(|(layout, component)| {
            let image = image(component);
            let start = usize::try_from(layout.primary.start).expect("flash is in memory");
            let size = usize::try_from(image.size).expect("images are in memory");
            image_id(&chips.parts[0].contents()[start..start + size]) == image
        })
    }

    /// From one reset to the next; true when nothing is left to be done.
    fn one_start(&self, chips: &Chips<'_>, life: &mut Life) -> Result<bool, Brick> {
        let wrong = |what: &str| Err(Brick(what.to_owned()));
        let mut parts = self.devices(chips)?;
        let mut set = Set::new(&mut parts)?;
        let boot = set.boot()?;
        let start = match boot {
            Boot::Start(start) => start,
            other => return Err(Brick(format!("the device starts nothing: {other:?}"))),
        };
        let (old, new) = (self.holds(chips, |component| component.old), self.holds(chips, |component| component.new));
        if !old && !new {
            return wrong("the device starts images that are neither all the old nor all the new ones");
        }
        let installed = set.installed()?;
        let report = self.verified.report();
        let sequence = self.verified.manifest().first().sequence;
        let confirmed = installed.manifest == Some(report.manifest_digest);
        let floor = if confirmed { sequence } else { 0 };
        if installed.sequence_floor != floor {
            return Err(Brick(format!("the sequence floor is {}, expected {floor}", installed.sequence_floor)));
        }
        if start.trial.is_some() {
            if !new {
                return wrong("the images on trial are not the new ones");
            }
            if self.confirms {
                set.confirm()?;
            }
            return Ok(false);
        }
        if confirmed {
            let of = |part: &update::Part<'_, '_, _>| part.device.installed().map(|installed| (installed.image, installed.phase));
            let settled = parts.iter().zip(&self.components).all(|(part, component)| of(part) == Ok((component.new, Phase::Idle)));
            return if self.confirms && new && settled { Ok(true) } else { wrong("images stay that were not confirmed, or not all of them") };
        }
        if start.reverted && !self.confirms {
            return if old { Ok(true) } else { wrong("not all old images are back") };
        }
        life.taken_back += u32::from(start.reverted);
        self.update(&mut set, life)?;
        Ok(false)
    }

    /// Takes one patch after the other, or goes on with them.
    fn update(&self, set: &mut Set<'_, '_, '_, SimulatedChips<'_>>, life: &mut Life) -> Result<(), Brick> {
        let mut owned = OwnedMemory::new(&self.buffers);
        let mut last = None;
        while let Some(Next { index, mut update }) = set.begin(self.verified, owned.memory(), decompressors())? {
            if last.is_some_and(|last| last >= index) {
                return Err(Brick("a patch is asked for again".to_owned()));
            }
            last = Some(index);
            hand_over(&mut update, self.components[index].patch, PIECE_BYTES, life)?;
            update.finish()?;
        }
        Ok(())
    }
}
