//! Vendor and class: UUIDs, or the names that they are derived from, as the SUIT manifest recommends (RFC 9124 section 3.4 and 3.5).

use uuid::Uuid;

/// The UUID of a vendor: `text` itself, or version 5 in the name space of domain names. `None` if `text` is neither a UUID nor a domain.
#[must_use]
pub fn vendor(text: &str) -> Option<Uuid> {
    if let Ok(uuid) = text.parse::<Uuid>() {
        return Some(uuid);
    }
    let label =
        |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (text.contains('.') && text.split('.').all(label)).then(|| Uuid::new_v5(&Uuid::NAMESPACE_DNS, text.as_bytes()))
}

/// The UUID of a class of devices: `text` itself, or version 5 of a model name in the vendor's name space. `None` if `text` is empty or
/// has control characters.
#[must_use]
pub fn class(vendor: &Uuid, text: &str) -> Option<Uuid> {
    if let Ok(uuid) = text.parse::<Uuid>() {
        return Some(uuid);
    }
    (!text.is_empty() && !text.contains(char::is_control)).then(|| Uuid::new_v5(vendor, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{class, vendor};

    #[test]
    fn names_become_version_5() {
        // Computed with Python's uuid.uuid5.
        let example = vendor("example.com").unwrap();
        assert_eq!(example.to_string(), "cfbff0d1-9375-5685-968c-48ce8b15ae17");
        assert_eq!(class(&example, "lamp-mk2").unwrap().get_version_num(), 5);
        assert_eq!(vendor("cfbff0d1-9375-5685-968c-48ce8b15ae17"), Some(example));
        for wrong in ["", "example", "Example.com", "exa mple.com", ".com"] {
            assert_eq!(vendor(wrong), None, "{wrong}");
        }
        assert_eq!(class(&example, ""), None);
    }
}
