use proptest::prelude::*;

use super::*;
use crate::oma::test_support::{hex, oracle};

fn example() -> Notification {
    Notification {
        user_interaction: UserInteraction::Background,
        initiator: Initiator::Client,
        session_id: 0x1234,
        server_id: "com.mgmtsrv.manage".into(),
        vendor: Vec::new(),
    }
}

fn secret() -> Secret {
    Secret::new("com.mgmtsrv.manage", "OhBehave")
}

#[test]
fn the_trigger_of_the_specification_s_example() {
    assert_eq!(example().trigger().unwrap(), hex("02d0000000123412636f6d2e6d676d747372762e6d616e616765"));
    assert_eq!(example().session_id_text(), "1234");
    let (user_data, session) = wap_push_headers(1);
    assert_eq!(user_data.to_vec(), hex("0605040b84c002"));
    assert_eq!(session.to_vec(), hex("010603c4af87"));
}

#[test]
fn the_digest_of_the_vectors() {
    let Some(vectors) = oracle("own-vectors/vectors.json") else {
        return;
    };
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let own = &vectors["own_derived"];
    let package = hex(own["pkg0_hex"].as_str().unwrap());
    assert_eq!(example().write(&secret(), b"Nonce").unwrap(), package);
    assert_eq!(package[..16], hex(own["digest_hex"].as_str().unwrap()));
    let again = example().write(&secret(), &RESYNCHRONISATION_NONCE).unwrap();
    assert_eq!(again[..16], hex(own["digest_with_resync_nonce_4_zero_bytes_hex"].as_str().unwrap()));
    assert_eq!(example().trigger().unwrap(), hex(vectors["external"]["trigger_hex"].as_str().unwrap()));
}

#[test]
fn a_wrong_digest_or_nonce_is_refused() {
    let package = example().write(&secret(), b"Nonce").unwrap();
    let read = |package: &[u8], secret: &Secret, nonces: &[&[u8]]| Notification::parse(package)?.verify(secret, nonces);
    assert_eq!(read(&package, &secret(), &[b"Nonce"]).unwrap(), example());
    assert_eq!(read(&package, &secret(), &[&RESYNCHRONISATION_NONCE, b"Nonce"]).unwrap(), example());
    assert_eq!(read(&package, &secret(), &[b"Nonces"]), Err(Error::Digest));
    assert_eq!(read(&package, &secret(), &[]), Err(Error::Digest));
    assert_eq!(read(&package, &Secret::new("com.mgmtsrv.manage", "x"), &[b"Nonce"]), Err(Error::Digest));
    for bit in 0..package.len() * 8 {
        let mut broken = package.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&broken, &secret(), &[b"Nonce"]).is_err(), "bit {bit}");
    }
    for length in 0..package.len() {
        assert!(read(&package[..length], &secret(), &[b"Nonce"]).is_err(), "length {length}");
    }
}

#[test]
fn every_reason() {
    let parse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut package = example().write(&secret(), b"Nonce").unwrap();
        change(&mut package);
        Notification::parse(&package).map(|_| ()).unwrap_err()
    };
    assert_eq!(parse(&|package| package[16] = 3), Error::Version(15));
    assert_eq!(parse(&|package| package[17] |= 4), Error::Reserved(0x400_0000));
    assert_eq!(parse(&|package| package[20] = 1), Error::Reserved(1));
    assert_eq!(parse(&|package| package[21..23].fill(0)), Error::SessionId);
    assert_eq!(parse(&|package| package[23] = 0), Error::ServerId);
    assert_eq!(parse(&|package| package[24] = 0xff), Error::ServerId);
    assert!(matches!(parse(&|package| package[23] = 19), Error::Length { actual: 42, .. }));
    assert!(matches!(parse(&|package| package.resize(MAX_BYTES + 1, 0)), Error::Length { actual: 1025, .. }));
    let write = |change: &dyn Fn(&mut Notification)| {
        let mut notification = example();
        change(&mut notification);
        notification.trigger().unwrap_err()
    };
    assert_eq!(write(&|n| n.session_id = 0), Error::SessionId);
    assert_eq!(write(&|n| n.server_id.clear()), Error::ServerId);
    assert_eq!(write(&|n| n.server_id = "x".repeat(256)), Error::ServerId);
    assert!(matches!(write(&|n| n.vendor = vec![0; 1024]), Error::Length { .. }));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(mode in 0..4_u8, server in any::<bool>(), session_id in 1..=u16::MAX, server_id in "[a-z.]{1,60}", vendor in any::<[u8; 5]>(), nonce in any::<[u8; 8]>()) {
        let notification = Notification {
            user_interaction: match mode {
                0 => UserInteraction::NotSpecified,
                1 => UserInteraction::Background,
                2 => UserInteraction::Informative,
                _ => UserInteraction::UserInteraction,
            },
            initiator: if server { Initiator::Server } else { Initiator::Client },
            session_id,
            server_id,
            vendor: vendor.to_vec(),
        };
        let package = notification.write(&secret(), &nonce).unwrap();
        prop_assert_eq!(Notification::parse(&package).unwrap().verify(&secret(), &[&nonce]).unwrap(), notification);
    }

    #[test]
    fn anything_is_read_without_a_panic(package in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Notification::parse(&package);
    }
}
