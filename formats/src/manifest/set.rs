//! The manifest of one or several components (SPEC 5.2, 5.3): the templates once for each, one behind the other.
//!
//! What is read is one component at a time, in a walk over the whole manifest that holds every command against the templates and every
//! component's values against themselves. So memory does not grow with the components, of which there are at most eight.

use super::*;
use crate::suit::envelope_key;

/// Most components of a manifest.
pub const MAX_COMPONENTS: usize = 8;

/// What an update is, for all its components: those of one device, installed all together or not at all.
#[derive(Clone, Copy, Debug)]
pub struct ManifestSet<'a> {
    bytes: &'a [u8],
    offset: usize,
    count: u8,
    first: Manifest<'a>,
}

impl<'a> ManifestSet<'a> {
    /// Reads a manifest, of one component or several, that is the whole input.
    ///
    /// # Errors
    /// The first way in which it does not follow the templates of SPEC 5.2 to 5.4.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_at(bytes, 0)
    }

    /// Reads a manifest that begins `offset` bytes into what errors are to count from.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_at(bytes: &'a [u8], offset: usize) -> Result<Self, DecodeError> {
        match Manifest::parse_at(bytes, offset) {
            Ok(first) => return Ok(Self { bytes, offset, count: 1, first }),
            Err(error) if error.kind == ErrorKind::SeveralComponents => {}
            Err(error) => return Err(error),
        }
        let (first, count) = read(bytes, offset, 0)?;
        for index in 1..count {
            read(bytes, offset, index)?;
        }
        Ok(Self { bytes, offset, count, first })
    }

    /// The number of components, 1 to 8.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.into()
    }

    /// The first component. What is no component's own (sequence number, counter, vendor, class, text) is the same in each.
    #[must_use]
    pub fn first(&self) -> &Manifest<'a> {
        &self.first
    }

    /// The manifest as if component `index`, from 0, were the only one; `None` behind the last.
    #[must_use]
    pub fn component(&self, index: usize) -> Option<Manifest<'a>> {
        let index = u8::try_from(index).ok().filter(|index| *index < self.count)?;
        if index == 0 {
            return Some(self.first);
        }
        // All were read without an error before.
        read(self.bytes, self.offset, index).ok().map(|(manifest, _)| manifest)
    }

    /// The components in their order.
    pub fn components(&self) -> impl Iterator<Item = Manifest<'a>> + use<'a> {
        let set = *self;
        (0..set.count()).map_while(move |index| set.component(index))
    }

    /// Whether the patches are in the package: all of them, or none.
    #[must_use]
    pub fn is_integrated(&self) -> bool {
        if self.count == 1 { self.first.is_integrated() } else { Some(self.first.uri) == payload_key(0) }
    }

    /// Where each patch is in a package whose payloads are [`series`](crate::envelope::Envelope::series).
    ///
    /// # Errors
    /// [`ErrorKind::Contradiction`], [`ErrorKind::MissingKey`] or [`ErrorKind::UnknownKey`] at the first payload, when they are not those that
    /// the manifest names.
    pub fn places(&self, series: &Series) -> Result<Places<'a>, DecodeError> {
        let refuse = |kind: ErrorKind| Err(kind.at(series.offset));
        if self.count == 1 || !self.is_integrated() || series.count > self.count {
            return refuse(ErrorKind::UnknownKey);
        }
        if series.count < self.count {
            return refuse(ErrorKind::MissingKey);
        }
        if series.first_size != self.first.patch.size {
            return refuse(ErrorKind::Contradiction);
        }
        Ok(Places { set: *self, index: 0, at: u64::try_from(series.offset).ok() })
    }
}

impl<'a> AsRef<Manifest<'a>> for ManifestSet<'a> {
    fn as_ref(&self) -> &Manifest<'a> {
        &self.first
    }
}

/// The key of payload `index` of several, which is the URI of its patch too.
#[must_use]
pub fn payload_key(index: u8) -> Option<&'static str> {
    const KEYS: [&str; MAX_COMPONENTS] = [envelope_key::FIRST_PATCH, "#patch1", "#patch2", "#patch3", "#patch4", "#patch5", "#patch6", "#patch7"];
    KEYS.get(usize::from(index)).copied()
}

/// Which component is read, and what the list of components says about those before it.
struct Plan<'a> {
    /// The component that is read.
    wanted: u8,
    count: u8,
    /// A bit for each component that is a delta.
    deltas: u8,
    name: &'a str,
}

/// The indices of a component's image, patch and old image.
#[derive(Clone, Copy)]
struct Indices {
    image: i64,
    patch: i64,
    old: Option<i64>,
}

impl Plan<'_> {
    fn is_delta(&self, index: u8) -> bool {
        self.deltas.checked_shr(index.into()).is_some_and(|bits| bits & 1 != 0)
    }

    fn indices(&self, index: u8) -> Indices {
        let deltas = (0..index).filter(|before| self.is_delta(*before)).count();
        let image = i64::from(index).saturating_mul(2).saturating_add(i64::try_from(deltas).unwrap_or(i64::MAX));
        let patch = image.saturating_add(1);
        Indices { image, patch, old: self.is_delta(index).then(|| patch.saturating_add(1)) }
    }

    /// `each` items for each component.
    fn items(&self, reader: &mut Reader<'_>, more: u64, each: u64) -> Result<(), DecodeError> {
        items(reader, more.saturating_add(each.saturating_mul(self.count.into())))
    }
}

impl<'a> Plan<'a> {
    /// Reads the list of components.
    fn read(reader: &mut Reader<'a>, wanted: u8) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let mut left = reader.array()?;
        let first = *reader;
        let mut plan = Plan { wanted, count: 0, deltas: 0, name: "" };
        while left > 0 {
            let at = reader.offset();
            if usize::from(plan.count) >= MAX_COMPONENTS {
                return Err(ErrorKind::TooManyComponents.at(start));
            }
            items(reader, 1)?;
            let name = reader.bytes()?;
            let text = component_name(name).ok_or(ErrorKind::ComponentName.at(at))?;
            if plan.has_before(first, name)? {
                return Err(ErrorKind::ComponentTwice.at(at));
            }
            items(reader, 2)?;
            literal(reader, name)?;
            literal(reader, PATCH_NAME)?;
            left = left.checked_sub(2).ok_or(ErrorKind::NotTheTemplate.at(start))?;
            let mut ahead = *reader;
            if left > 0 && ahead.array()? == 2 {
                items(reader, 2)?;
                literal(reader, name)?;
                literal(reader, OLD_NAME)?;
                left = left.saturating_sub(1);
                plan.deltas |= 1u8.checked_shl(plan.count.into()).unwrap_or(0);
            }
            if plan.count == wanted {
                plan.name = text;
            }
            plan.count = plan.count.saturating_add(1);
        }
        Ok(plan)
    }

    /// Whether one of the components read so far has that name.
    fn has_before(&self, mut list: Reader<'_>, name: &[u8]) -> Result<bool, DecodeError> {
        for before in 0..self.count {
            list.array()?;
            if list.bytes()? == name {
                return Ok(true);
            }
            for _ in 0..if self.is_delta(before) { 2 } else { 1 } {
                list.item()?;
            }
        }
        Ok(false)
    }
}

/// Reads component `wanted`, and holds all of the manifest against the templates. The number of components beside it.
fn read(bytes: &[u8], offset: usize, wanted: u8) -> Result<(Manifest<'_>, u8), DecodeError> {
    let reader = &mut Reader::at(bytes, offset);
    let mut map = reader.map()?;
    map.required(reader, manifest_key::VERSION)?;
    // Its value was looked at before.
    reader.unsigned()?;
    map.required(reader, manifest_key::SEQUENCE)?;
    let sequence = reader.unsigned()?;
    map.required(reader, manifest_key::COMMON)?;
    let (plan, vendor, class) = read_common(reader.nested()?, wanted)?;
    map.required(reader, manifest_key::VALIDATE)?;
    let new = read_validate(reader.nested()?, &plan)?;
    map.required(reader, manifest_key::PAYLOAD_FETCH)?;
    let (patch, uri) = read_fetch(reader.nested()?, &plan)?;
    map.required(reader, manifest_key::INSTALL)?;
    let (security_counter, branch) = read_install(reader.nested()?, &plan)?;
    let text_digest = map.optional(reader, manifest_key::TEXT)?.then(|| read_digest(reader).copied()).transpose()?;
    map.end(reader)?;
    reader.finish()?;
    same(branch.done, new, branch.at)?;
    same(branch.new, new, branch.at)?;
    same(branch.patch, patch, branch.at)?;
    let manifest =
        Manifest { sequence, component: plan.name, vendor, class, security_counter, new, old: branch.old, patch, uri, apply: branch.apply, text_digest };
    Ok((manifest, plan.count))
}

fn read_common(mut reader: Reader<'_>, wanted: u8) -> Result<(Plan<'_>, [u8; 16], [u8; 16]), DecodeError> {
    let reader = &mut reader;
    let mut map = reader.map()?;
    map.required(reader, common_key::COMPONENTS)?;
    let plan = Plan::read(reader, wanted)?;
    map.required(reader, common_key::SHARED_SEQUENCE)?;
    let mut shared = reader.nested()?;
    map.end(reader)?;
    reader.finish()?;

    let reader = &mut shared;
    items(reader, length::SHARED)?;
    integers(reader, &[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::OVERRIDE_PARAMETERS])?;
    let mut map = reader.map()?;
    map.required(reader, parameter::VENDOR)?;
    let vendor = *reader.bytes_of::<16>()?;
    map.required(reader, parameter::CLASS)?;
    let class = *reader.bytes_of::<16>()?;
    map.end(reader)?;
    integers(reader, &[command::VENDOR, REPORT_ALL, command::CLASS, REPORT_ALL])?;
    reader.finish()?;
    Ok((plan, vendor, class))
}

/// What `one` reads of the component that is wanted; it reads the others too.
fn each<'a, T>(reader: &mut Reader<'a>, plan: &Plan<'_>, mut one: impl FnMut(&mut Reader<'a>, u8) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    let start = reader.offset();
    let mut wanted = None;
    for index in 0..plan.count {
        let read = one(reader, index)?;
        if index == plan.wanted {
            wanted = Some(read);
        }
    }
    wanted.ok_or(ErrorKind::NotTheTemplate.at(start))
}

fn read_validate(mut reader: Reader<'_>, plan: &Plan<'_>) -> Result<ImageId, DecodeError> {
    let reader = &mut reader;
    plan.items(reader, 0, length::MATCH)?;
    let new = each(reader, plan, |reader, index| read_matched(reader, plan.indices(index).image))?;
    reader.finish()?;
    Ok(new)
}

/// The six items of `done`, of `validate`, and of the old image and the patch before they are used.
fn read_matched(reader: &mut Reader<'_>, index: i64) -> Result<ImageId, DecodeError> {
    let (image, _) = read_image(reader, index, Extra::None)?;
    integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
    Ok(image)
}

fn read_fetch<'a>(mut reader: Reader<'a>, plan: &Plan<'_>) -> Result<(ImageId, &'a str), DecodeError> {
    let reader = &mut reader;
    plan.items(reader, 0, length::FETCH)?;
    let mut integrated = None;
    let fetch = each(reader, plan, |reader, index| {
        let start = reader.offset();
        let refuse = ErrorKind::NotTheTemplate.at(start);
        let (patch, uri) = read_image(reader, plan.indices(index).patch, Extra::Uri)?;
        let uri = uri.ok_or(refuse)?;
        integers(reader, &[command::FETCH, REPORT_ALL, command::IMAGE_MATCH, REPORT_ALL])?;
        let here = Some(uri) == payload_key(index);
        // All are in the package, each under its own key, or none is.
        if here != *integrated.get_or_insert(here) || (!here && uri.starts_with(INTEGRATED)) {
            return Err(refuse);
        }
        Ok((patch, uri))
    })?;
    reader.finish()?;
    Ok(fetch)
}

/// What the sequence `install` says about a component.
struct Branch {
    at: usize,
    done: ImageId,
    old: Option<ImageId>,
    patch: ImageId,
    new: ImageId,
    apply: ApplyArguments,
}

fn read_install(mut reader: Reader<'_>, plan: &Plan<'_>) -> Result<(u64, Branch), DecodeError> {
    let reader = &mut reader;
    plan.items(reader, INSTALL_ONCE, length::INSTALL.saturating_sub(INSTALL_ONCE))?;
    integers(reader, &[command::SECURITY_COUNTER])?;
    let security_counter = reader.unsigned()?;
    let branch = each(reader, plan, |reader, index| {
        let indices = plan.indices(index);
        integers(reader, &[command::SET_COMPONENT_INDEX, indices.image, command::TRY_EACH])?;
        items(reader, 2)?;
        let done = reader.nested()?;
        Branch::read(done, reader.nested()?, indices)
    })?;
    reader.finish()?;
    Ok((security_counter, branch))
}

impl Branch {
    fn read(mut done: Reader<'_>, mut apply: Reader<'_>, indices: Indices) -> Result<Self, DecodeError> {
        let at = done.offset();
        items(&mut done, length::MATCH)?;
        let done_image = read_matched(&mut done, indices.image)?;
        done.finish()?;

        let reader = &mut apply;
        items(reader, if indices.old.is_some() { length::APPLY_DELTA } else { length::APPLY_FULL })?;
        let old = indices.old.map(|index| read_matched(reader, index)).transpose()?;
        let patch = read_matched(reader, indices.patch)?;
        let (new, _) = read_image(reader, indices.image, if indices.old.is_some() { Extra::Source } else { Extra::None })?;
        integers(reader, &[command::APPLY_PATCH])?;
        let apply = ApplyArguments::read(reader.nested()?)?;
        integers(reader, &[command::IMAGE_MATCH, REPORT_ALL])?;
        reader.finish()?;
        Ok(Branch { at, done: done_image, old, patch, new, apply })
    }
}

/// Items of `install` that there are once: the security counter and its command.
const INSTALL_ONCE: u64 = 2;

mod places;

pub use places::{Head, Place, Places};

use crate::envelope::Series;

#[cfg(test)]
mod tests;
