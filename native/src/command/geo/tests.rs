use crate::command::testing::TestDb;
use crate::reply::Reply;
use crate::status::Status;

/// The two towns of the documentation.
fn sicily() -> TestDb {
    let db = TestDb::new();
    let added = db.int(&[
        "GEOADD",
        "Sicily",
        "13.361389",
        "38.115556",
        "Palermo",
        "15.087269",
        "37.502669",
        "Catania",
    ]);
    assert_eq!(added, 2);
    db
}

fn towns() -> TestDb {
    let db = sicily();
    db.run(&[
        "GEOADD",
        "Sicily",
        "12.758489",
        "38.788135",
        "edge1",
        "17.241510",
        "38.788135",
        "edge2",
    ]);
    db
}

#[test]
fn positions_are_scores() {
    let db = sicily();
    assert_eq!(
        db.texts(&["ZRANGE", "Sicily", "0", "-1", "WITHSCORES"]),
        ["Palermo", "3479099956230698", "Catania", "3479447370796909"]
    );
    assert_eq!(
        db.int(&["GEOADD", "Sicily", "13.361389", "38.115556", "Palermo"]),
        0
    );
    assert_eq!(db.int(&["GEOADD", "Sicily", "CH", "13.5", "38", "Palermo"]), 1);
    assert_eq!(db.int(&["GEOADD", "Sicily", "NX", "CH", "1", "1", "Palermo"]), 0);
    assert_eq!(
        db.int(&[
            "GEOADD", "Sicily", "XX", "CH", "1", "1", "Palermo", "2", "2", "new"
        ]),
        1
    );
    assert_eq!(db.int(&["ZCARD", "Sicily"]), 2);
    assert_eq!(db.int(&["GEOADD", "none", "XX", "1", "1", "m"]), 0);
    assert_eq!(db.int(&["EXISTS", "none"]), 0);
}

#[test]
fn positions_that_are_none_are_refused() {
    let db = sicily();
    assert_eq!(
        db.error(&["GEOADD", "k", "181", "1", "m"]),
        "ERR invalid longitude,latitude pair 181.000000,1.000000"
    );
    assert_eq!(
        db.error(&["GEOADD", "k", "1", "-inf", "m"]),
        "ERR invalid longitude,latitude pair 1.000000,-inf"
    );
    assert_eq!(db.status(&["GEOADD", "k", "1", "x", "m"]), Status::NotFloat);
    assert_eq!(
        db.status(&["GEOADD", "k", "1", "1", "m", "2", "x", "n"]),
        Status::NotFloat
    );
    assert_eq!(db.status(&["GEOADD", "k", "nan", "1", "m"]), Status::NotFloat);
    assert_eq!(db.status(&["GEOADD", "k", "1", "1", "m", "2"]), Status::Syntax);
    assert_eq!(
        db.status(&["GEOADD", "k", "NX", "XX", "1", "1", "m"]),
        Status::Syntax
    );
    assert_eq!(db.status(&["GEOADD", "k", "NX", "CH", "CH"]), Status::Syntax);
    assert_eq!(db.int(&["EXISTS", "k"]), 0);
    db.put_collection("list", "list");
    assert_eq!(db.status(&["GEOADD", "list", "1", "1", "m"]), Status::WrongType);
    assert_eq!(db.status(&["GEOPOS", "list", "m"]), Status::WrongType);
    assert_eq!(db.status(&["GEODIST", "list", "m", "n"]), Status::WrongType);
    assert_eq!(db.status(&["GEOHASH", "list", "m"]), Status::WrongType);
    let search = ["GEOSEARCH", "list", "FROMLONLAT", "x", "1", "BYRADIUS", "1"];
    assert_eq!(db.status(&search), Status::WrongType);
    let corners = [
        "GEOADD",
        "k",
        "180",
        "85.05112878",
        "a",
        "-180",
        "-85.05112878",
        "b",
    ];
    assert_eq!(db.int(&corners), 2);
}

#[test]
fn positions_are_told() {
    let db = sicily();
    let decimal = |text: &str| Reply::Decimal(text.into());
    let palermo = vec![decimal("13.36138933897018433"), decimal("38.11555639549629859")];
    assert_eq!(
        db.run(&["GEOPOS", "Sicily", "Palermo", "none"]),
        Reply::Array(vec![Reply::Array(palermo), Reply::NullArray])
    );
    assert_eq!(
        db.run(&["GEOPOS", "none", "m"]),
        Reply::Array(vec![Reply::NullArray])
    );
    assert_eq!(db.run(&["GEOPOS", "Sicily"]), Reply::Array(vec![]));
    assert_eq!(
        db.texts(&["GEOHASH", "Sicily", "Palermo", "Catania", "none"]),
        ["sqc8b49rny0", "sqdtr74hyu0", "(nil)"]
    );
    assert_eq!(db.run(&["GEOHASH", "none", "m"]), Reply::Array(vec![Reply::Null]));
}

#[test]
fn distances_are_told() {
    let db = sicily();
    for (unit, distance) in [
        ("m", "166274.1516"),
        ("KM", "166.2742"),
        ("mi", "103.3182"),
        ("ft", "545518.8700"),
    ] {
        assert_eq!(
            db.texts(&["GEODIST", "Sicily", "Palermo", "Catania", unit]),
            [distance]
        );
    }
    assert_eq!(
        db.texts(&["GEODIST", "Sicily", "Palermo", "Catania"]),
        ["166274.1516"]
    );
    assert_eq!(db.texts(&["GEODIST", "Sicily", "Palermo", "Palermo"]), ["0.0000"]);
    assert_eq!(db.run(&["GEODIST", "Sicily", "Palermo", "none"]), Reply::Null);
    assert_eq!(db.run(&["GEODIST", "none", "a", "b"]), Reply::Null);
    assert_eq!(
        db.error(&["GEODIST", "none", "a", "b", "yd"]),
        "ERR unsupported unit provided. please use M, KM, FT, MI"
    );
    assert_eq!(
        db.status(&["GEODIST", "Sicily", "a", "b", "m", "x"]),
        Status::Syntax
    );
}

#[test]
fn searches_by_radius_and_by_box() {
    let db = towns();
    let from = ["GEOSEARCH", "Sicily", "FROMLONLAT", "15", "37"];
    let search = |rest: &[&str]| db.texts(&[&from, rest].concat());
    assert_eq!(search(&["BYRADIUS", "200", "km", "ASC"]), ["Catania", "Palermo"]);
    assert_eq!(search(&["BYRADIUS", "200", "km", "DESC"]), ["Palermo", "Catania"]);
    assert_eq!(
        search(&["BYBOX", "400", "400", "km", "ASC", "WITHCOORD", "WITHDIST"]),
        [
            "Catania",
            "56.4413",
            "15.08726745843887329",
            "37.50266842333162032",
            "Palermo",
            "190.4424",
            "13.36138933897018433",
            "38.11555639549629859",
            "edge2",
            "279.7403",
            "17.24151045083999634",
            "38.78813451624225195",
            "edge1",
            "279.7405",
            "12.7584877610206604",
            "38.78813451624225195"
        ]
    );
    assert_eq!(
        search(&["BYRADIUS", "100", "km", "WITHHASH", "WITHDIST"]),
        ["Catania", "56.4413", "3479447370796909"]
    );
    assert_eq!(search(&["BYBOX", "400", "400", "km", "COUNT", "1"]), ["Catania"]);
    assert_eq!(
        search(&["BYBOX", "400", "400", "km", "COUNT", "3", "ANY"]).len(),
        3
    );
    assert_eq!(search(&["BYRADIUS", "0", "m"]), [""; 0]);
    let by_member = [
        "GEOSEARCH",
        "Sicily",
        "FROMMEMBER",
        "Palermo",
        "BYRADIUS",
        "0",
        "m",
    ];
    assert_eq!(db.texts(&by_member), ["Palermo"]);
    let none = ["GEOSEARCH", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "m"];
    assert_eq!(db.run(&none), Reply::Array(vec![]));
}

#[test]
fn the_nearest_and_the_farthest() {
    let db = TestDb::new();
    for i in 0..300 {
        let longitude = f64::from(i * 7919 % 300) / 100.0;
        db.run(&["GEOADD", "k", &longitude.to_string(), "1", &format!("m{i}")]);
    }
    let from = ["GEOSEARCH", "k", "FROMLONLAT", "1", "1", "BYRADIUS", "9000", "km"];
    for order in ["ASC", "DESC"] {
        let all = db.texts(&[&from[..], &[order]].concat());
        assert_eq!(all.len(), 300);
        for count in [1, 2, 7, 150, 299, 300, 301] {
            let some = db.texts(&[&from[..], &["COUNT", &count.to_string(), order]].concat());
            assert_eq!(some, all[..count.min(300)], "{order} {count}");
        }
    }
}

#[test]
fn the_old_forms_of_searches() {
    let db = sicily();
    let radius = ["GEORADIUS", "Sicily", "15", "37", "200", "km"];
    assert_eq!(
        db.texts(&[&radius[..], &["WITHDIST", "DESC"]].concat()),
        ["Palermo", "190.4424", "Catania", "56.4413"]
    );
    let read_only = ["GEORADIUSBYMEMBER_RO", "Sicily", "Palermo", "100", "km"];
    assert_eq!(db.texts(&read_only), ["Palermo"]);
    assert_eq!(db.int(&[&radius[..], &["STORE", "to"]].concat()), 2);
    assert_eq!(
        db.texts(&["ZRANGE", "to", "0", "-1", "WITHSCORES"]),
        ["Palermo", "3479099956230698", "Catania", "3479447370796909"]
    );
    assert_eq!(
        db.int(&[&radius[..], &["STORE", "x", "STOREDIST", "to", "COUNT", "1"]].concat()),
        1
    );
    assert_eq!(db.texts(&["ZRANGE", "to", "0", "-1"]), ["Catania"]);
    assert_eq!(db.int(&["EXISTS", "x"]), 0);
    assert_eq!(
        db.error(&[&radius[..], &["STORE", "to", "WITHDIST"]].concat()),
        "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
    );
    assert_eq!(
        db.status(&[&read_only[..], &["STORE", "to"]].concat()),
        Status::Syntax
    );
    let absent = ["GEORADIUSBYMEMBER", "none", "x", "bad", "km", "STORE", "to"];
    assert_eq!(db.int(&absent), 0);
    assert_eq!(db.int(&["EXISTS", "to"]), 0);
    assert_eq!(
        db.error(&["GEORADIUSBYMEMBER", "Sicily", "none", "1", "km"]),
        "ERR could not decode requested zset member"
    );
}

#[test]
fn results_are_stored() {
    let db = towns();
    let search = [
        "GEOSEARCHSTORE",
        "to",
        "Sicily",
        "FROMLONLAT",
        "15",
        "37",
        "BYBOX",
        "400",
        "400",
        "km",
    ];
    assert_eq!(db.int(&[&search[..], &["ASC", "COUNT", "3"]].concat()), 3);
    assert_eq!(
        db.texts(&["ZRANGE", "to", "0", "-1"]),
        ["Palermo", "Catania", "edge2"]
    );
    assert_eq!(db.int(&[&search[..], &["STOREDIST"]].concat()), 4);
    assert_eq!(
        db.texts(&["ZRANGE", "to", "0", "-1"]),
        ["Catania", "Palermo", "edge2", "edge1"]
    );
    let distance: f64 = db.texts(&["ZSCORE", "to", "Catania"])[0].parse().unwrap();
    assert!((distance - 56.441_257_870_158_0).abs() < 1e-9, "{distance}");
    assert_eq!(
        db.error(&[&search[..], &["WITHDIST"]].concat()),
        "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
    );
    let nothing = [
        "GEOSEARCHSTORE",
        "to",
        "Sicily",
        "FROMLONLAT",
        "0",
        "0",
        "BYRADIUS",
        "1",
        "m",
    ];
    assert_eq!(db.int(&nothing), 0);
    assert_eq!(db.int(&["EXISTS", "to"]), 0);
    let itself = [
        "GEOSEARCHSTORE",
        "Sicily",
        "Sicily",
        "FROMMEMBER",
        "Palermo",
        "BYRADIUS",
        "1",
        "m",
    ];
    assert_eq!(db.int(&itself), 1);
    assert_eq!(db.texts(&["ZRANGE", "Sicily", "0", "-1"]), ["Palermo"]);
}

#[test]
fn searches_that_do_not_fit_together_are_refused() {
    let db = sicily();
    for (rest, text) in [
        (
            "BYRADIUS 1 km ASC ASC",
            "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch",
        ),
        (
            "FROMLONLAT 1 1 ASC ASC",
            "ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch",
        ),
        ("FROMLONLAT 1 1 FROMMEMBER Palermo ASC", "ERR syntax error"),
        ("FROMMEMBER Palermo FROMLONLAT 1 1", "ERR syntax error"),
        (
            "FROMMEMBER none BYRADIUS 1 km",
            "ERR could not decode requested zset member",
        ),
        ("FROMLONLAT 1 1 BYRADIUS 1 km BYBOX 1 1 km", "ERR syntax error"),
        ("FROMLONLAT 1 1 BYBOX 1 1 km BYRADIUS 1 km", "ERR syntax error"),
        ("FROMLONLAT 1 1 BYRADIUS x km", "ERR need numeric radius"),
        ("FROMLONLAT 1 1 BYRADIUS -1 km", "ERR radius cannot be negative"),
        (
            "FROMLONLAT 1 1 BYRADIUS 1 yd",
            "ERR unsupported unit provided. please use M, KM, FT, MI",
        ),
        ("FROMLONLAT 1 1 BYBOX x 1 km", "ERR need numeric width"),
        ("FROMLONLAT 1 1 BYBOX 1 x km", "ERR need numeric height"),
        (
            "FROMLONLAT 1 1 BYBOX -1 1 km",
            "ERR height or width cannot be negative",
        ),
        (
            "FROMLONLAT 1 1 BYBOX 1 -1 km",
            "ERR height or width cannot be negative",
        ),
        ("FROMLONLAT 1 1 BYRADIUS 1 km COUNT 0", "ERR COUNT must be > 0"),
        (
            "FROMLONLAT 1 1 BYRADIUS 1 km COUNT x",
            "ERR value is not an integer or out of range",
        ),
        ("FROMLONLAT 1 1 BYRADIUS 1 km COUNT", "ERR syntax error"),
        (
            "FROMLONLAT 1 1 BYRADIUS 1 km ANY",
            "ERR the ANY argument requires COUNT argument",
        ),
        ("FROMLONLAT 1 1 BYRADIUS 1 km STOREDIST", "ERR syntax error"),
        ("FROMLONLAT 1 1 BYRADIUS 1 km STORE to", "ERR syntax error"),
        (
            "FROMLONLAT 200 1 BYRADIUS 1 km",
            "ERR invalid longitude,latitude pair 200.000000,1.000000",
        ),
    ] {
        let words: Vec<&str> = ["geosearch", "Sicily"]
            .into_iter()
            .chain(rest.split(' '))
            .collect();
        assert_eq!(db.error(&words), text, "{rest}");
    }
}

#[test]
fn a_search_finds_what_a_scan_of_everything_finds() {
    let db = TestDb::new();
    for i in 0..600 {
        let longitude = f64::from(i * 7919 % 3600) / 10.0 - 180.0;
        let latitude = f64::from(i * 104_729 % 1700) / 10.0 - 85.0;
        db.run(&[
            "GEOADD",
            "k",
            &longitude.to_string(),
            &latitude.to_string(),
            &format!("m{i}"),
        ]);
    }
    for member in ["m1", "m77", "m230"] {
        for radius in [100.0, 1000.0, 4000.0] {
            let mut found = db.texts(&[
                "GEOSEARCH",
                "k",
                "FROMMEMBER",
                member,
                "BYRADIUS",
                &radius.to_string(),
                "km",
            ]);
            found.sort();
            let mut expected: Vec<String> = (0..600)
                .map(|i| format!("m{i}"))
                .filter(|other| {
                    let distance = db.texts(&["GEODIST", "k", member, other, "km"]);
                    distance[0].parse::<f64>().unwrap() <= radius
                })
                .collect();
            expected.sort();
            assert_eq!(found, expected, "{member} {radius}");
        }
    }
}
