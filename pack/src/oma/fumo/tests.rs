use super::*;
use crate::oma::dm::code;
use crate::oma::test_support::oracle;

#[test]
fn the_tree_of_the_object() {
    let description = description();
    let root = &description.nodes[0];
    let rights = |path: &str| {
        let properties = root.find(path).unwrap_or_else(|| panic!("{path}")).properties.as_ref().unwrap();
        let access: Vec<String> = properties.access.iter().map(|right| format!("{right:?}")).collect();
        (properties.format.as_str(), access.join(","), properties.occurrence)
    };
    for (path, format, access, occurrence) in [
        ("PkgName", "chr", "Get", Occurrence::ZeroOrOne),
        ("PkgVersion", "chr", "Get", Occurrence::ZeroOrOne),
        ("Download", "node", "Exec,Get", Occurrence::ZeroOrOne),
        ("Download/PkgURL", "chr", "Get,Replace", Occurrence::One),
        ("Update", "node", "Exec,Get", Occurrence::ZeroOrOne),
        ("Update/PkgData", "bin", "Replace", Occurrence::ZeroOrOne),
        ("DownloadAndUpdate", "node", "Exec,Get", Occurrence::ZeroOrOne),
        ("DownloadAndUpdate/PkgURL", "chr", "Get,Replace", Occurrence::One),
        ("State", "int", "Get", Occurrence::One),
        ("Ext", "node", "Get", Occurrence::ZeroOrOne),
    ] {
        assert_eq!(rights(path), (format, access.to_owned(), occurrence), "{path}");
    }
    assert_eq!(root.count(), 11);
    assert_eq!(root.name, None);
    assert_eq!(root.properties.as_ref().unwrap().occurrence, Occurrence::ZeroOrMore);
    assert!(root.find("Cancel").is_none());
    let Some(minimal) = oracle("own-vectors/fumo_min.ddf") else {
        return;
    };
    assert_eq!(Description::read(&minimal).unwrap().nodes[0].properties, root.properties);
}

#[test]
fn the_edges_are_these_and_no_others() {
    let expected = [
        (10, 30),
        (10, 50),
        (50, 60),
        (30, 40),
        (30, 20),
        (40, 50),
        (50, 10),
        (60, 70),
        (60, 90),
        (70, 80),
        (90, 100),
        (20, 10),
        (80, 10),
        (90, 10),
        (100, 10),
    ];
    let mut found = 0;
    for from in State::ALL {
        for to in State::ALL {
            let edge = (from.code(), to.code());
            assert_eq!(leads_to(from, to), expected.contains(&edge), "{edge:?}");
            found += usize::from(leads_to(from, to));
        }
    }
    assert_eq!(found, expected.len());
    for (from, cause, to) in EDGES {
        assert_eq!(after(from, cause), Some(to));
    }
    assert_eq!(after(State::Idle, Cause::ExecUpdate), None);
    assert_eq!(after(State::UpdateFailedHaveData, Cause::ExecUpdate), None);
    let ends: Vec<u8> = State::ALL.iter().filter(|state| is_terminating(**state)).map(|state| state.code()).collect();
    assert_eq!(ends, [20, 70, 80, 90, 100]);
    let codes: Vec<u8> = (0..=u8::MAX).filter(|&code| State::of_code(code).is_some()).collect();
    assert_eq!(codes, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
}

#[test]
fn result_codes() {
    let fixed: Vec<u16> = (0..=999).filter(|&code| ResultCode::from_code(code).is_some_and(|result| ResultCode::FIXED.contains(&result))).collect();
    assert_eq!(fixed, [200, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 500, 501, 502, 503]);
    for code in 0..=u16::MAX {
        let vendor = (250..=299).contains(&code) || (450..=499).contains(&code) || (550..=599).contains(&code);
        let result = ResultCode::from_code(code);
        assert_eq!(result.is_some(), vendor || fixed.contains(&code), "{code}");
        assert!(result.is_none_or(|result| result.code() == code && result.is_success() == (code < 300)));
    }
    assert_eq!(ResultCode::ValidationFailed.to_string(), "404 (a signature of the package is wrong)");
    let statuses: Vec<u16> = (0..=999).filter(|&status| ResultCode::from_download_status(status).is_some()).collect();
    assert_eq!(statuses, [900, 901, 902, 903, 905, 906, 951, 952, 953, 954]);
}

#[test]
fn reports_there_and_back() {
    for operation in Operation::ALL {
        for (result, correlator) in [(ResultCode::Success, None), (ResultCode::UserCancelled, Some("c")), (ResultCode::VendorServerError(599), None)] {
            let report = Report { source: "./FUMO/x".into(), operation, result, correlator: correlator.map(str::to_owned) };
            let alert = report.to_alert(4);
            assert_eq!(alert.code, code::GENERIC);
            assert_eq!(alert.items[0].meta.mark.as_deref(), Some(if result.is_success() { "informational" } else { "critical" }));
            assert_eq!(alert.items[0].meta.format.as_deref(), Some("int"));
            let generic = GenericAlert::from_alert(&alert).unwrap();
            assert_eq!(Report::from_alert(&generic).unwrap(), Some(report));
            assert_eq!(Request::from_alert(&generic), None);
        }
    }
    let by_node = Report { source: "./FwUpdate/P1/Download".into(), operation: Operation::Download, result: ResultCode::Success, correlator: None };
    assert_eq!(by_node.object(), "./FwUpdate/P1");
    assert_eq!(Report { source: "./FwUpdate/P1".into(), ..by_node.clone() }.object(), "./FwUpdate/P1");
    assert_eq!(Report { operation: Operation::Update, source: "./x/DownloadAndUpdate".into(), ..by_node.clone() }.object(), "./x/DownloadAndUpdate");
    let mut generic = GenericAlert::from_alert(&by_node.to_alert(1)).unwrap();
    for data in ["", "200 OK", "+200", "201", "99999999"] {
        generic.items[0].data = data.into();
        assert!(Report::from_alert(&generic).is_err(), "{data}");
    }
    generic.items[0].source = None;
    assert_eq!(Report::from_alert(&generic).unwrap_err().to_string(), "`Item` has no `Source`");
    generic.items[0].alert_type = "other".into();
    assert_eq!(Report::from_alert(&generic), Ok(None));
}

#[test]
fn requests_there_and_back() {
    for requester in [Requester::Device, Requester::User] {
        let request = Request { requester, source: Some("./FUMO/x".into()), data: String::new() };
        let generic = GenericAlert::from_alert(&request.to_alert(2)).unwrap();
        assert_eq!(Request::from_alert(&generic), Some(request));
        assert_eq!(Report::from_alert(&generic), Ok(None));
    }
}
