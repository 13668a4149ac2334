//! The manifest's writer: the templates of SPEC 5.3, from the values alone.

use super::*;
use crate::cbor::{Writer, encode};
use crate::cose::digest_item;
use alloc::vec::Vec;

impl Manifest<'_> {
    /// Writes the manifest.
    ///
    /// # Errors
    /// What a reader would refuse: a name, URI or argument out of its range. The offset is one in the manifest.
    pub fn write(&self) -> Result<Vec<u8>, DecodeError> {
        let bytes = write(self, core::slice::from_ref(self));
        Manifest::parse(&bytes)?;
        Ok(bytes)
    }
}

#[cfg(feature = "components")]
impl ManifestSet<'_> {
    /// Writes the manifest of one or several components. What is no component's own is the first one's.
    ///
    /// # Errors
    /// What a reader would refuse: a name, URI or argument out of its range, a name twice, too many components.
    /// [`ErrorKind::Contradiction`] at 0 when what is to be the same in all components is not, [`ErrorKind::NotTheTemplate`] when there is
    /// none.
    pub fn write(components: &[Manifest<'_>]) -> Result<Vec<u8>, DecodeError> {
        let first = components.first().ok_or(ErrorKind::NotTheTemplate.at(0))?;
        let common = |manifest: &Manifest<'_>| {
            let Manifest { sequence, vendor, class, security_counter, text_digest, .. } = *manifest;
            (sequence, vendor, class, security_counter, text_digest)
        };
        if components.iter().any(|component| common(component) != common(first)) {
            return Err(ErrorKind::Contradiction.at(0));
        }
        let bytes = write(first, components);
        ManifestSet::parse(&bytes)?;
        Ok(bytes)
    }
}

/// The encoding, which may be of no manifest.
fn write(common: &Manifest<'_>, components: &[Manifest<'_>]) -> Vec<u8> {
    let parts = Part::of(components);
    let count = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let items = |each: u64| count.saturating_mul(each);
    encode(|writer| {
        writer.map(if common.text_digest.is_some() { 7 } else { 6 });
        writer.integer(manifest_key::VERSION).unsigned(MANIFEST_VERSION);
        writer.integer(manifest_key::SEQUENCE).unsigned(common.sequence);
        writer.integer(manifest_key::COMMON).nested(|writer| {
            writer.map(2).integer(common_key::COMPONENTS).array(parts.iter().map(Part::entries).sum());
            parts.iter().for_each(|part| part.write_names(writer));
            writer.integer(common_key::SHARED_SEQUENCE).nested(|shared| common.write_shared(shared));
        });
        writer.integer(manifest_key::VALIDATE).nested(|writer| {
            writer.array(items(length::MATCH));
            parts.iter().for_each(|part| part.write_match(writer));
        });
        writer.integer(manifest_key::PAYLOAD_FETCH).nested(|writer| {
            writer.array(items(length::FETCH));
            parts.iter().for_each(|part| part.write_fetch(writer));
        });
        writer.integer(manifest_key::INSTALL).nested(|writer| {
            writer.array(items(length::INSTALL.saturating_sub(2)).saturating_add(2));
            writer.integer(command::SECURITY_COUNTER).unsigned(common.security_counter);
            parts.iter().for_each(|part| part.write_install(writer));
        });
        if let Some(digest) = &common.text_digest {
            writer.integer(manifest_key::TEXT).raw(&digest_item(digest));
        }
    })
}

impl Manifest<'_> {
    fn write_shared(&self, shared: &mut Writer) {
        shared.array(length::SHARED).integers(&[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::OVERRIDE_PARAMETERS]);
        shared.map(2).integer(parameter::VENDOR).bytes(&self.vendor).integer(parameter::CLASS).bytes(&self.class);
        shared.integers(&[command::VENDOR, REPORT_ALL, command::CLASS, REPORT_ALL]);
    }
}

/// A component, and where its entries are in the list of components.
struct Part<'m> {
    manifest: &'m Manifest<'m>,
    image: i64,
    patch: i64,
    old: i64,
    is_only: bool,
}

impl<'m> Part<'m> {
    fn of(components: &'m [Manifest<'m>]) -> Vec<Self> {
        let mut next = IMAGE_INDEX;
        let mut parts = Vec::new();
        for manifest in components {
            let (patch, old) = (next.saturating_add(PATCH_INDEX), next.saturating_add(OLD_INDEX));
            parts.push(Part { manifest, image: next, patch, old, is_only: components.len() == 1 });
            next = if manifest.old.is_some() { old.saturating_add(1) } else { old };
        }
        parts
    }

    fn entries(&self) -> u64 {
        if self.manifest.old.is_some() { 3 } else { 2 }
    }

    fn write_names(&self, writer: &mut Writer) {
        let name = self.manifest.component.as_bytes();
        writer.array(1).bytes(name);
        if self.is_only {
            writer.array(1).bytes(PATCH_NAME);
        } else {
            writer.array(2).bytes(name).bytes(PATCH_NAME);
        }
        if self.manifest.old.is_some() {
            writer.array(2).bytes(name).bytes(OLD_NAME);
        }
    }

    fn write_match(&self, writer: &mut Writer) {
        write_image(writer, self.image, self.manifest.new, 2);
        writer.integers(&[command::IMAGE_MATCH, REPORT_ALL]);
    }

    fn write_fetch(&self, writer: &mut Writer) {
        write_image(writer, self.patch, self.manifest.patch, 3);
        writer.integer(parameter::URI).text(self.manifest.uri);
        writer.integers(&[command::FETCH, REPORT_ALL, command::IMAGE_MATCH, REPORT_ALL]);
    }

    fn write_install(&self, writer: &mut Writer) {
        writer.integers(&[command::SET_COMPONENT_INDEX, self.image, command::TRY_EACH]).array(2);
        writer.nested(|done| self.write_match(done.array(length::MATCH))).nested(|apply| self.write_apply(apply));
    }

    fn write_apply(&self, writer: &mut Writer) {
        let manifest = self.manifest;
        let matches = [command::IMAGE_MATCH, REPORT_ALL];
        writer.array(if manifest.old.is_some() { length::APPLY_DELTA } else { length::APPLY_FULL });
        if let Some(old) = manifest.old {
            write_image(writer, self.old, old, 2);
            writer.integers(&matches);
        }
        write_image(writer, self.patch, manifest.patch, 2);
        writer.integers(&matches);
        if manifest.old.is_some() {
            write_image(writer, self.image, manifest.new, 3);
            writer.integers(&[parameter::SOURCE_COMPONENT, self.old]);
        } else {
            write_image(writer, self.image, manifest.new, 2);
        }
        writer.integer(command::APPLY_PATCH).nested(|arguments| manifest.apply.write(arguments)).integers(&matches);
    }
}

impl ApplyArguments {
    fn write(&self, writer: &mut Writer) {
        writer.array(length::ARGUMENTS).unsigned(APPLY_VERSION).unsigned(self.chunk_log2.into()).bytes(&self.first_chunk);
        for value in [self.profile.into(), self.ram_log2, self.instruction_set.into(), self.sector_log2] {
            writer.unsigned(value.into());
        }
    }
}

/// The map is left open: `parameters` counts what the caller adds as well.
fn write_image(writer: &mut Writer, index: i64, image: ImageId, parameters: u64) {
    writer.integers(&[command::SET_COMPONENT_INDEX, index, command::OVERRIDE_PARAMETERS]).map(parameters);
    writer.integer(parameter::IMAGE_DIGEST).bytes(&digest_item(&image.digest));
    writer.integer(parameter::IMAGE_SIZE).unsigned(image.size);
}
