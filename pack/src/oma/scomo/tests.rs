use super::*;

#[test]
fn the_tree_of_the_object() {
    let description = description();
    let root = &description.nodes[0];
    for path in [
        "Download/*/PkgURL",
        "Download/*/InstallParams",
        "Download/*/Operations/DownloadInstallInactive",
        "Inventory/Delivered/*/Data",
        "Inventory/Delivered/*/Operations/Remove",
        "Inventory/Deployed/*/PkgIDRef",
        "Inventory/Deployed/*/Operations/Deactivate",
    ] {
        assert!(root.find(path).is_some(), "{path}");
    }
    let data = root.find("Inventory/Delivered/*/Data").unwrap().properties.as_ref().unwrap();
    assert!(!data.access.contains(&Access::Get));
    for operation in Operation::ALL {
        let node = root.find(&format!("{}/*/Operations/{}", operation.place().path(), operation.node())).unwrap();
        assert!(node.properties.as_ref().unwrap().access.contains(&Access::Exec));
    }
}

#[test]
fn addresses_of_operations() {
    for operation in Operation::ALL {
        let uri = operation.uri("./Vendor/Download/SCOMO", "p1");
        assert_eq!(Operation::from_uri(&uri), Some((operation, "./Vendor/Download/SCOMO", "p1")), "{uri}");
    }
    assert_eq!(Operation::from_uri("./SCOMO/Download/p/Operations/DownlaodInstallInactive"), Some((Operation::DownloadInstallInactive, "./SCOMO", "p")));
    assert_eq!(Operation::from_uri("./SCOMO/Inventory/Deployed/c/Operations/Deactive"), Some((Operation::Deactivate, "./SCOMO", "c")));
    for uri in ["", "./SCOMO/Download/p", "./SCOMO/Download/p/Operations/Install", "./SCOMO/Download//Operations/Download", "Download/p/Operations/Download"] {
        assert_eq!(Operation::from_uri(uri), None, "{uri}");
    }
}

#[test]
fn numbers_there_and_back() {
    for (status, place, code) in Status::TABLE {
        assert_eq!(status.code(), code);
        assert_eq!(Status::from_code(place, code), Some(status));
    }
    for (place, codes) in [(Place::Download, 7), (Place::Delivered, 6), (Place::Deployed, 7)] {
        let found: Vec<u8> = (0..=u8::MAX).filter(|&code| Status::from_code(place, code).is_some()).collect();
        assert_eq!(found, (1..=codes).map(|n| n * 10).collect::<Vec<u8>>());
    }
    assert_eq!(State::from_code(Place::Delivered, 20), Some(State::Installed));
    assert_eq!(State::from_code(Place::Deployed, 20), Some(State::Active));
    assert_eq!(State::from_code(Place::Download, 20), None);
    assert_eq!(State::Inactive.code(), 10);
    let count = (0..=u16::MAX).filter(|&code| ResultCode::from_code(code).is_some()).count();
    assert_eq!(count, 17 + 150);
    assert_eq!(ResultCode::from_code(1414), None);
    assert_eq!(ResultCode::VALIDATION_FAILED.to_string(), "1407 (a signature of the package is wrong)");
    assert!(ResultCode::SUCCESS.is_success() && !ResultCode::USER_CANCELLED.is_success());
}

#[test]
fn reports_and_requests_there_and_back() {
    let report = Report {
        source: Operation::DownloadInstall.uri("./SCOMO", "p1"),
        target: Some("./SCOMO/Inventory/Deployed/c1".into()),
        result: ResultCode::SUCCESS,
        identifier: "a<b>&c".into(),
        correlator: Some("k".into()),
    };
    let alert = report.to_alert(3);
    assert_eq!(alert.items[0].as_text().unwrap(), "<ResultCode>1200</ResultCode><Identifier>a&lt;b&gt;&amp;c</Identifier>");
    let mut generic = GenericAlert::from_alert(&alert).unwrap();
    assert_eq!(Report::from_alert(&generic).unwrap(), Some(report.clone()));
    generic.items[0].alert_type = DRAFT_ALERT_TYPE.into();
    assert_eq!(Report::from_alert(&generic).unwrap(), Some(report));
    for data in [
        "",
        "<ResultCode>1200</ResultCode>",
        "<ResultCode>200</ResultCode><Identifier>x</Identifier>",
        "<ResultCode>x</ResultCode><Identifier>x</Identifier>",
        "<ResultCode>1200</ResultCode><Identifier>&bomb;</Identifier>",
        "<ResultCode>1200</ResultCode><Identifier><x></Identifier>",
    ] {
        generic.items[0].data = data.into();
        assert!(Report::from_alert(&generic).is_err(), "{data}");
    }
    for installed_version in [None, Some("1.2 & more".to_owned())] {
        let request = Request { identifier: "comp".into(), installed_version };
        let generic = GenericAlert::from_alert(&request.to_alert(1)).unwrap();
        assert_eq!(Request::from_alert(&generic), Some(request));
        assert_eq!(Report::from_alert(&generic), Ok(None));
    }
}
