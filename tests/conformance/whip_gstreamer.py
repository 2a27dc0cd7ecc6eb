"""A WHIP client that shares nothing with us: GStreamer's webrtcbin, run by the system's Python.

usage: python3 whip_gstreamer.py FILE.wav SECONDS WHIP_URL BEARER_TOKEN
"""

import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 # after the versions are required

PIPELINE = """
filesrc location={file} ! wavparse ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=1
! opusenc bitrate=64000 ! rtpopuspay pt=96 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=96
! webrtcbin name=peer bundle-policy=max-bundle
"""


def main(file: str, seconds: str, url: str, token: str) -> None:
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE.format(file=file))
    peer = pipeline.get_by_name("peer")
    loop = GLib.MainLoop()
    sessions: list[str] = []

    def negotiation_needed(_: object) -> None:
        transceiver = peer.emit("get-transceiver", 0)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offer_made, None, None))

    def offer_made(promise: Gst.Promise, *_: object) -> None:
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        peer.emit("set-local-description", offer, Gst.Promise.new())

    def gathered(*_: object) -> None:
        if peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE or sessions:
            return
        offer = peer.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(url, offer.encode(), headers)) as answer:
            assert answer.status == 201, answer.status
            sessions.append(answer.headers["Location"])
            _, sdp = GstSdp.SDPMessage.new_from_text(answer.read().decode())
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        peer.emit("set-remote-description", described, Gst.Promise.new())

    def on_message(_: object, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.ERROR:
            sys.exit(str(message.parse_error()))

    peer.connect("on-negotiation-needed", negotiation_needed)
    peer.connect("notify::ice-gathering-state", gathered)
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    pipeline.set_state(Gst.State.PLAYING)
    GLib.timeout_add_seconds(int(seconds), loop.quit)
    loop.run()
    delete = urllib.request.Request(sessions[0], headers={"Authorization": f"Bearer {token}"}, method="DELETE")
    with urllib.request.urlopen(delete) as answer:
        assert answer.status == 200, answer.status
    pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main(*sys.argv[1:])
