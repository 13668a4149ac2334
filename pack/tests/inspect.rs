//! `sealift inspect --old --html`: the page is whole in itself, well formed, and its numbers are those of the patch.

mod common;

use common::Workshop;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V2_0: &[u8] = include_bytes!("../../testdata/images/app-2.0.bin");

/// A workshop with a patch of each profile.
fn shop() -> Workshop {
    let shop = Workshop::new();
    shop.write("old", V1_0);
    shop.write("new", V2_0);
    shop.ok(["delta", "old", "new", "-o", "compact", "--profile", "compact", "--ram", "64K"]);
    shop.ok(["delta", "old", "new", "-o", "fast"]);
    shop
}

/// The names of all elements, in order, after a check that each has its end. Void elements are closed first: HTML leaves that out.
#[track_caller]
fn elements(page: &str) -> Vec<String> {
    let page: String = page.lines().map(|line| if line.starts_with("<meta") { line.replace('>', "/>") } else { line.to_owned() } + "\n").collect();
    let mut reader = Reader::from_str(&page);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("at {}: {error}", reader.error_position())) {
            Event::Start(element) | Event::Empty(element) => names.push(element.name().as_ref().to_owned()),
            Event::Eof => return names,
            _ => {}
        }
    }
}

fn page(shop: &Workshop, args: [&str; 3]) -> String {
    let [file, old, name] = args;
    if old.is_empty() {
        shop.ok(["inspect", file, "--html", name])
    } else {
        shop.ok(["inspect", file, "--old", old, "--html", name])
    };
    String::from_utf8(shop.read(name)).unwrap()
}

#[test]
fn the_page_is_whole_in_itself_and_well_formed() {
    let shop = shop();
    for (file, old) in [("compact", "old"), ("fast", "old"), ("compact", ""), ("fast", "")] {
        let page = page(&shop, [file, old, "page.html"]);
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
        let names = elements(&page);
        let count = |name: &str| names.iter().filter(|other| *other == name).count();
        assert_eq!((count("script"), count("link"), count("img"), count("iframe"), count("base")), (0, 0, 0, 0, 0));
        for outside in ["http:", "https:", "url(", "@import", "src=", "href="] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
        // One map with a name and a description; tables with heads, in regions that the keyboard reaches.
        assert_eq!((count("h1"), count("svg"), count("main")), (1, 1, 1));
        assert!(page.contains("role=\"img\" aria-labelledby=\"map\" aria-describedby=\"map-note\""));
        assert_eq!((count("table"), count("thead"), page.matches("tabindex=\"0\"").count()), (count("tbody"), count("table"), count("table")));
        assert!(count("table") >= 4 && page.matches("scope=\"row\"").count() > 50);
        for id in page.split("aria-labelledby=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
}

#[test]
fn the_map_covers_the_image() {
    let shop = shop();
    let page = page(&shop, ["compact", "old", "page.html"]);
    let cells: usize =
        page.split("<rect ").skip(1).map(|rect| rect.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse::<usize>().unwrap() / 8).sum();
    // 46,272 bytes, 8 in a cell: the smallest power of two that needs at most 8,192.
    assert_eq!(cells, V2_0.len().div_ceil(8));
}

#[test]
fn the_numbers_are_those_of_the_patch() {
    let shop = shop();
    for file in ["compact", "fast"] {
        let size = shop.read(file).len() as f64;
        let said: Value = serde_json::from_str(&shop.ok(["inspect", file, "--old", "old", "--json", "--html", "page.html"])).unwrap();
        let anatomy = &said["anatomy"];
        let spent: f64 = anatomy["costs"].as_array().unwrap().iter().map(|cost| cost["bytes"].as_f64().unwrap()).sum();
        assert!((spent - size).abs() <= 6.0, "{file}: {spent} of {size}");
        let totals: u64 = anatomy["totals"].as_array().unwrap().iter().map(|total| total.as_u64().unwrap()).sum();
        assert_eq!(totals, V2_0.len() as u64);
        assert_eq!(said["page"]["size"].as_u64().unwrap(), shop.read("page.html").len() as u64);
        let page = String::from_utf8(shop.read("page.html")).unwrap();
        assert!(page.contains(&format!("<td>{spent:.1}</td>")), "the sum of the table of causes");
        let words = shop.ok(["inspect", file, "--old", "old"]);
        assert!(words.contains("where the bytes went") && words.contains("bytes of the new image, literal"), "{words}");
        assert_eq!(words.contains("both right"), file == "compact", "{words}");
    }
}

#[test]
fn a_file_name_stays_text() {
    let shop = shop();
    let name = "a<script>alert(1)</script>&\"'.slp";
    // A slash cannot be in a file name.
    let name = &name.replace('/', "");
    shop.write(name, shop.read("fast"));
    let page = page(&shop, [name, "", "page.html"]);
    assert!(!page.contains("<script>") && page.contains("<h1>a&lt;script&gt;alert(1)&lt;script&gt;&amp;&quot;&#39;.slp</h1>"));
    elements(&page);
}

#[test]
fn packages_have_pages_too() {
    let shop = Workshop::with_release();
    let delta = "dist/lamp-2.0-from-1.0.suit";
    let said: Value = serde_json::from_str(&shop.ok(["inspect", delta, "--old", "old-1.0.bin", "--json", "--html", "page.html"])).unwrap();
    let spent: f64 = said["anatomy"]["costs"].as_array().unwrap().iter().map(|cost| cost["bytes"].as_f64().unwrap()).sum();
    assert_eq!(spent.round(), said["patch"]["size"].as_f64().unwrap());
    let page = String::from_utf8(shop.read("page.html")).unwrap();
    assert!(page.contains("manifest and signatures") && page.contains(&format!("<td>{}.0</td>", shop.read(delta).len())));
    elements(&page);
    // A full image needs no old one.
    let full: Value = serde_json::from_str(&shop.ok(["inspect", "dist/lamp-2.0-full.suit", "--json", "--html", "full.html"])).unwrap();
    assert_eq!(full["anatomy"]["exact"], true);

    let wrong = shop.fails(3, ["inspect", delta, "--old", "old-1.1.bin", "--html", "x.html"]);
    assert!(wrong.starts_with("rejected: "), "{wrong}");
    let neither = shop.fails(2, ["inspect", "trust", "--html", "x.html"]);
    assert!(neither.contains("--old and --html are for patches and packages"), "{neither}");
    assert!(shop.fails(1, ["inspect", delta, "--old", "gone", "--html", "x.html"]).contains("cannot read the old image gone"));
    assert!(!shop.exists("x.html"));
}

#[test]
fn a_patch_in_place_shows_its_segments() {
    let shop = shop();
    shop.ok(["delta", "old", "new", "-o", "patch", "--profile", "compact", "--ram", "64K", "--in-place", "--sector", "4K", "--scratch", "16K"]);
    let said: Value = serde_json::from_str(&shop.ok(["inspect", "patch", "--old", "old", "--json", "--html", "page.html"])).unwrap();
    assert_eq!(said["anatomy"]["exact"], false);
    assert!(said["anatomy"]["segment_count"].as_u64().unwrap() > 0);
    elements(&String::from_utf8(shop.read("page.html")).unwrap());
}
