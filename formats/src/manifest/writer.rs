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
        let bytes = encode(|writer| {
            writer.map(if self.text_digest.is_some() { 7 } else { 6 });
            writer.integer(manifest_key::VERSION).unsigned(MANIFEST_VERSION);
            writer.integer(manifest_key::SEQUENCE).unsigned(self.sequence);
            writer.integer(manifest_key::COMMON).nested(|common| self.write_common(common));
            writer.integer(manifest_key::VALIDATE).nested(|validate| write_match(validate, self.new));
            writer.integer(manifest_key::PAYLOAD_FETCH).nested(|fetch| self.write_fetch(fetch));
            writer.integer(manifest_key::INSTALL).nested(|install| self.write_install(install));
            if let Some(digest) = &self.text_digest {
                writer.integer(manifest_key::TEXT).raw(&digest_item(digest));
            }
        });
        Manifest::parse(&bytes)?;
        Ok(bytes)
    }

    fn write_common(&self, writer: &mut Writer) {
        let name = self.component.as_bytes();
        writer.map(2).integer(common_key::COMPONENTS).array(if self.old.is_some() { 3 } else { 2 });
        writer.array(1).bytes(name).array(1).bytes(PATCH_NAME);
        if self.old.is_some() {
            writer.array(2).bytes(name).bytes(OLD_NAME);
        }
        writer.integer(common_key::SHARED_SEQUENCE).nested(|shared| {
            shared.array(length::SHARED).integers(&[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::OVERRIDE_PARAMETERS]);
            shared.map(2).integer(parameter::VENDOR).bytes(&self.vendor).integer(parameter::CLASS).bytes(&self.class);
            shared.integers(&[command::VENDOR, REPORT_ALL, command::CLASS, REPORT_ALL]);
        });
    }

    fn write_fetch(&self, writer: &mut Writer) {
        writer.array(length::FETCH);
        write_image(writer, PATCH_INDEX, self.patch, 3);
        writer.integer(parameter::URI).text(self.uri);
        writer.integers(&[command::FETCH, REPORT_ALL, command::IMAGE_MATCH, REPORT_ALL]);
    }

    fn write_install(&self, writer: &mut Writer) {
        writer.array(length::INSTALL).integer(command::SECURITY_COUNTER).unsigned(self.security_counter);
        writer.integers(&[command::SET_COMPONENT_INDEX, IMAGE_INDEX, command::TRY_EACH]).array(2);
        writer.nested(|done| write_match(done, self.new)).nested(|apply| self.write_apply(apply));
    }

    fn write_apply(&self, writer: &mut Writer) {
        let matches = [command::IMAGE_MATCH, REPORT_ALL];
        writer.array(if self.old.is_some() { length::APPLY_DELTA } else { length::APPLY_FULL });
        if let Some(old) = self.old {
            write_image(writer, OLD_INDEX, old, 2);
            writer.integers(&matches);
        }
        write_image(writer, PATCH_INDEX, self.patch, 2);
        writer.integers(&matches);
        if self.old.is_some() {
            write_image(writer, IMAGE_INDEX, self.new, 3);
            writer.integers(&[parameter::SOURCE_COMPONENT, OLD_INDEX]);
        } else {
            write_image(writer, IMAGE_INDEX, self.new, 2);
        }
        writer.integer(command::APPLY_PATCH).nested(|arguments| self.apply.write(arguments)).integers(&matches);
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

fn write_match(writer: &mut Writer, image: ImageId) {
    writer.array(length::MATCH);
    write_image(writer, IMAGE_INDEX, image, 2);
    writer.integers(&[command::IMAGE_MATCH, REPORT_ALL]);
}

/// The map is left open: `parameters` counts what the caller adds as well.
fn write_image(writer: &mut Writer, index: i64, image: ImageId, parameters: u64) {
    writer.integers(&[command::SET_COMPONENT_INDEX, index, command::OVERRIDE_PARAMETERS]).map(parameters);
    writer.integer(parameter::IMAGE_DIGEST).bytes(&digest_item(&image.digest));
    writer.integer(parameter::IMAGE_SIZE).unsigned(image.size);
}
