//! The code pages: which element has which token on which page.

use crate::oma::xml::Namespace;

use super::Document;

/// Tokens below this one are the same on every page.
const FIRST: u8 = 0x05;

/// Page 0: messages. Token 0x30 is not given out.
const MESSAGE: [&str; 56] = [
    "Add",
    "Alert",
    "Archive",
    "Atomic",
    "Chal",
    "Cmd",
    "CmdID",
    "CmdRef",
    "Copy",
    "Cred",
    "Data",
    "Delete",
    "Exec",
    "Final",
    "Get",
    "Item",
    "Lang",
    "LocName",
    "LocURI",
    "Map",
    "MapItem",
    "Meta",
    "MsgID",
    "MsgRef",
    "NoResp",
    "NoResults",
    "Put",
    "Replace",
    "RespURI",
    "Results",
    "Search",
    "Sequence",
    "SessionID",
    "SftDel",
    "Source",
    "SourceRef",
    "Status",
    "Sync",
    "SyncBody",
    "SyncHdr",
    "SyncML",
    "Target",
    "TargetRef",
    "",
    "VerDTD",
    "VerProto",
    "NumberOfChanges",
    "MoreData",
    "Field",
    "Filter",
    "Record",
    "FilterType",
    "SourceParent",
    "TargetParent",
    "Move",
    "Correlator",
];

/// Page 1: what is inside `Meta`.
const META: [&str; 18] = [
    "Anchor",
    "EMI",
    "Format",
    "FreeID",
    "FreeMem",
    "Last",
    "Mark",
    "MaxMsgSize",
    "Mem",
    "MetInf",
    "Next",
    "NextNonce",
    "SharedMem",
    "Size",
    "Type",
    "Version",
    "MaxObjSize",
    "FieldLevel",
];

/// Page 2: descriptions and serialised trees.
const TREE: [&str; 56] = [
    "AccessType",
    "ACL",
    "Add",
    "b64",
    "bin",
    "bool",
    "chr",
    "CaseSense",
    "CIS",
    "Copy",
    "CS",
    "date",
    "DDFName",
    "DefaultValue",
    "Delete",
    "Description",
    "DFFormat",
    "DFProperties",
    "DFTitle",
    "DFType",
    "Dynamic",
    "Exec",
    "float",
    "Format",
    "Get",
    "int",
    "Man",
    "MgmtTree",
    "MIME",
    "Mod",
    "Name",
    "Node",
    "node",
    "NodeName",
    "null",
    "Occurrence",
    "One",
    "OneOrMore",
    "OneOrN",
    "Path",
    "Permanent",
    "Replace",
    "RTProperties",
    "Scope",
    "Size",
    "time",
    "Title",
    "TStamp",
    "Type",
    "Value",
    "VerDTD",
    "VerNo",
    "xml",
    "ZeroOrMore",
    "ZeroOrN",
    "ZeroOrOne",
];

/// The name space of a code page, if documents of that kind have it.
pub(super) fn namespace(document: Document, page: u8) -> Option<Namespace> {
    match (document, page) {
        (Document::Message, 0) => Some(Namespace::SyncMl),
        (Document::Message, 1) => Some(Namespace::MetInf),
        (_, 2) => Some(Namespace::Ddf),
        _ => None,
    }
}

/// The code page of a name space.
pub(super) fn page(namespace: Namespace) -> Option<u8> {
    match namespace {
        Namespace::SyncMl => Some(0),
        Namespace::MetInf => Some(1),
        Namespace::Ddf => Some(2),
        Namespace::Workflow => None,
    }
}

fn names(namespace: Namespace) -> &'static [&'static str] {
    match namespace {
        Namespace::SyncMl => &MESSAGE,
        Namespace::MetInf => &META,
        Namespace::Ddf => &TREE,
        Namespace::Workflow => &[],
    }
}

/// The element that a token (without its two flag bits) stands for.
pub(super) fn name(namespace: Namespace, token: u8) -> Option<&'static str> {
    let index = usize::from(token.checked_sub(FIRST)?);
    names(namespace).get(index).copied().filter(|name| !name.is_empty())
}

/// The token of an element, without flag bits.
pub(super) fn token(namespace: Namespace, name: &str) -> Option<u8> {
    let index = names(namespace).iter().position(|&known| known == name && !name.is_empty())?;
    u8::try_from(index).ok()?.checked_add(FIRST)
}
