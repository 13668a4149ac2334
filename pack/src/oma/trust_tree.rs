//! The trust record in the device management tree: our own management object.

use super::auth;
use super::ddf::{Access, Description, Format, Node, Occurrence};
use super::structure::{Error as StructureError, value_error};
use super::tnds;

/// The identifier of the management object. It is ours and stands in no registry.
pub const OBJECT_ID: &str = "urn:sealift:mo:trust:1.0";
/// The leaf with the record.
pub const RECORD: &str = "Record";
/// The MIME type of the record: CBOR of a form of our own.
pub const RECORD_TYPE: &str = "application/cbor";

/// The description of the management object: an unnamed node with the record as bytes, which a server may read and replace. A device
/// takes a new record only under its own rules for trust records, whatever the access rights say.
#[must_use]
pub fn description() -> Description {
    let mut record = Node::leaf(RECORD, &[Access::Get, Access::Replace], Occurrence::One, Format::Bin).described("The trust record, as bytes");
    if let Some(properties) = &mut record.properties {
        properties.node_type = super::ddf::NodeType::Mime(vec![RECORD_TYPE.to_owned()]);
    }
    Description::new(Node::interior("", &[Access::Get], Occurrence::ZeroOrMore, OBJECT_ID, vec![record]))
}

/// A tree with a record, to provision a device with. The record travels as Base64.
#[must_use]
pub fn to_tree(name: &str, record: &[u8]) -> tnds::Tree {
    let leaf = tnds::Node::leaf(RECORD, Format::B64, RECORD_TYPE, &auth::base64(record));
    tnds::Tree::new(tnds::Node::interior(name, OBJECT_ID, vec![leaf]))
}

/// The record in a tree.
///
/// # Errors
/// There is none, or it is not Base64.
pub fn from_tree(tree: &tnds::Tree) -> Result<Vec<u8>, StructureError> {
    let missing = || StructureError::Missing { parent: "MgmtTree".into(), child: RECORD };
    let value = tree.nodes.iter().find_map(|node| node.find(RECORD)?.value.as_deref()).ok_or_else(missing)?;
    auth::from_base64(value).map_err(|_| value_error(RECORD, value, "Base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_goes_into_a_tree_and_out_again() {
        let record: Vec<u8> = (0..=255).collect();
        let tree = to_tree("Sealift", &record);
        for read in [tnds::Tree::read(&tree.write().unwrap()), tnds::Tree::read_wbxml(&tree.write_wbxml().unwrap())] {
            assert_eq!(from_tree(&read.unwrap()).unwrap(), record);
        }
        let mut broken = tree.clone();
        broken.nodes[0].children[0].value = Some("?".into());
        assert!(from_tree(&broken).is_err());
        broken.nodes[0].children.clear();
        assert_eq!(from_tree(&broken).unwrap_err().to_string(), "`MgmtTree` has no `Record`");
    }
}
