use super::*;
use crate::oma::test_support::{libwbxml_encode, oracle};
use crate::oma::xml::{Limits, Namespace, parse};

#[test]
fn the_vectors_byte_for_byte() {
    for (xml, wbxml, default, document) in [
        ("dm12_pkg1_alert1226.xml", "dm12_pkg1_alert1226.libwbxml-n.wbxml", None, Document::Message),
        ("dm12_pkg2_chal_pkgdata_tnds.xml", "dm12_pkg2_chal_pkgdata_tnds.libwbxml-n.wbxml", None, Document::Message),
        ("fumo_min.ddf", "fumo_min.libwbxml-n.wbxml", Some(Namespace::Ddf), Document::Tree),
    ] {
        let (Some(xml), Some(wbxml)) = (oracle(&format!("own-vectors/{xml}")), oracle(&format!("own-vectors/{wbxml}"))) else { return };
        let mut tree = parse(&xml, default, &Limits::MESSAGE).unwrap();
        tree.trim();
        assert_eq!(encode(&tree, document).unwrap(), wbxml);
        assert_eq!(decode(&wbxml, &Limits::MESSAGE).unwrap(), (tree, document));
        assert_eq!(libwbxml_encode(&xml).unwrap_or(wbxml.clone()), wbxml);
    }
}
