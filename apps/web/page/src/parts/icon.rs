//! Icons: lines on a 24 by 24 grid, drawn with the text's own colour. Words always stand beside them.

use leptos::prelude::*;

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a picture of its name")]
pub enum Icon {
    Alert,
    Back,
    Bell,
    Block,
    Camera,
    Card,
    Chart,
    Chat,
    Check,
    Checks,
    Clock,
    Copy,
    Cross,
    Device,
    Ear,
    File,
    Handshake,
    Headset,
    In,
    Key,
    LampHalf,
    LampOff,
    LampOn,
    Lock,
    Mic,
    MicOff,
    MissedIn,
    Moon,
    Out,
    Pause,
    Pen,
    People,
    Phone,
    PhoneDown,
    Play,
    Refresh,
    Search,
    Send,
    Settings,
    Share,
    Shield,
    ShieldCheck,
    Speaker,
    Trash,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Icon::Alert => "M12 4 21.5 20h-19ZM12 10v4.5M12 17.2v.3",
            Icon::Back => "M14.5 5.5 8 12l6.5 6.5",
            Icon::Bell => "M6 17h12l-1.5-2.5V10a4.5 4.5 0 0 0-9 0v4.5ZM10 20h4M12 5.5V3.8",
            Icon::Block => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM6 6l12 12",
            Icon::Camera => {
                "M3.5 7.5h4L9 5h6l1.500 2.500h4V19h-17ZM12 9.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7Z"
            }
            Icon::Card => "M3 6h18v12.500H3ZM6.500 9.500h4v4h-4ZM14 10h4M14 13.500h4",
            Icon::Chart => "M4 20V4M4 20h16M8.500 16v-4M12.500 16V8M16.500 16v-6",
            Icon::Chat => "M4 5h16v11.500H10L5.500 20v-3.500H4Z",
            Icon::Check => "M5 12.500 10 17.500 19.500 7",
            Icon::Checks => "M2.500 12.500 7 17l8-9M11 16l1 1 9-9.500",
            Icon::Clock => {
                "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM12 7.500V12l3.200 2"
            }
            Icon::Copy => "M8.500 8.500h11v11h-11ZM15.500 8.500v-4h-11v11h4",
            Icon::Cross => "M6 6l12 12M18 6 6 18",
            Icon::Device => "M7.500 3h9v18h-9ZM11 18h2",
            Icon::Ear => {
                "M7 9.500a5 5 0 1 1 10 0c0 3.500-3.500 4-3.500 7.500a3 3 0 0 1-5.500 1.700M9.800 9.500a2.200 2.200 0 1 1 4.400 0c0 1.700-1.900 2-1.900 3.700"
            }
            Icon::File => "M6 3.500h8l4.500 4.500v12.500H6ZM14 3.500V8h4.500",
            Icon::Handshake => {
                "M2.500 7.500 7 6l5 2 5-2 4.500 1.500M2.500 15l3 .5 5 3.700 2-.2 6-4.500 3-.5M12 8l-3.500 4 2.500 1.500 3-2 5 4"
            }
            Icon::Headset => {
                "M4.500 14v-2a7.500 7.500 0 0 1 15 0v2M4.500 13h3.500v5.500h-3.500ZM16 13h3.500v5.500h-3.500ZM18 18.500c0 1.800-2 2.500-5 2.500"
            }
            Icon::In => "M18.500 5.500 7 17M7 8.500V17h8.500",
            Icon::Key => "M8 8.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 12.500h9.500M18 12.500v3.500",
            Icon::LampHalf => "M12 6a6 6 0 0 1 6 6M18 12a6 6 0 0 1-6 6M12 18a6 6 0 0 1-6-6",
            Icon::LampOff => "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM8 16l8-8",
            Icon::LampOn => {
                "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM12 11.500v1"
            }
            Icon::Lock => "M5.500 11h13v9.500h-13ZM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 15v2",
            Icon::Mic => {
                "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.500 11a6.500 6.500 0 0 0 13 0M12 17.500V21"
            }
            Icon::MicOff => {
                "M9 8.500V11a3 3 0 0 0 5 2.200M15 10V6a3 3 0 0 0-5.700-1.300M5.500 11a6.500 6.500 0 0 0 10.500 5.100M18.500 11a6 6 0 0 1-.5 2.500M12 17.500V21M4 4l16 16"
            }
            Icon::Moon => "M19.500 14.500A8 8 0 1 1 9.500 4.500a6.500 6.500 0 0 0 10 10Z",
            Icon::MissedIn => "M4 7l8 8 8.500-8.500M4 13V7h6",
            Icon::Out => "M5.500 18.500 17 7M8.500 7H17v8.500",
            Icon::Pause => "M8.500 5v14M15.500 5v14",
            Icon::Pen => "M4.500 19.500l1-4.500L16 4.500 19.500 8 9 18.500Z",
            Icon::People => {
                "M9 4.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7ZM2.500 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 5a3.300 3.300 0 0 1 0 6.300M18.500 14.800c2 .9 3 2.700 3 5.200"
            }
            Icon::Phone | Icon::PhoneDown => {
                "M6.200 3.500h3l1.500 4.200-2 1.600a12.500 12.500 0 0 0 6 6l1.600-2 4.200 1.500v3a2 2 0 0 1-2.200 2C10.800 19.300 4.700 13.200 4.200 5.700a2 2 0 0 1 2-2.200Z"
            }
            Icon::Play => "M8 5l11 7-11 7Z",
            Icon::Refresh => "M19 12a7 7 0 1 1-2-5M19.500 3.500v4.500H15",
            Icon::Search => {
                "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM15.500 15.500 20.500 20.500"
            }
            Icon::Send => "M3.500 12 20.500 4.500 16 20l-4-6.500ZM12 13.500l8.500-9",
            Icon::Settings => {
                "M4 7h8M17 7h3M14.500 4.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400ZM4 17h3M12 17h8M9.500 14.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400Z"
            }
            Icon::Share => "M12 15V4M8 7.500 12 3.500l4 4M5.500 11.500v8.500h13v-8.500",
            Icon::Shield => {
                "M12 3l7.500 2.800V11c0 5-3.200 8-7.500 10-4.300-2-7.500-5-7.500-10V5.800ZM12 8v4.500M12 15.500v.3"
            }
            Icon::ShieldCheck => {
                "M12 3l7.500 2.800V11c0 5-3.200 8-7.500 10-4.300-2-7.500-5-7.500-10V5.800ZM8.300 11.800l2.700 2.700 4.700-5"
            }
            Icon::Speaker => {
                "M4 9.500v5h3.500l5 4v-13l-5 4ZM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11"
            }
            Icon::Trash => "M4.500 6.500h15M9 6.500V4h6v2.500M6.500 6.500 7.500 20h9l1-13.500",
        }
    }
}

/// Draws an icon; readers pass over it, since words stand beside it.
pub fn icon(icon: Icon) -> AnyView {
    let turned = matches!(icon, Icon::PhoneDown);
    view! {
        <svg class="icon" class:turned=turned viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path()></path>
        </svg>
    }
    .into_any()
}
