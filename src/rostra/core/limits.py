"""Every bound of the system in one place, each with its reason."""

from typing import Final

# --- conversations -------------------------------------------------------------------------------
TITLE_LENGTH_MAX: Final = 200  # fits a calendar entry and a social card without being cut
CONVERSATION_ID_LENGTH_MAX: Final = 64  # is one token of a NATS subject and one segment of a URL
DOORS_LEAD_MAX_S: Final = 24 * 3600  # hold music for a day is the longest anybody asked for
CONVERSATION_DURATION_MAX_S: Final = 24 * 3600  # a forgotten conversation ends by itself

# --- bus -----------------------------------------------------------------------------------------
PROGRAMME_RETENTION_S: Final = 120  # what an edge that was away may still fetch; a player holds 4 s at most
PROGRAMME_BYTES_MAX: Final = 2 * 1024**3  # 120 s of 4,000 conversations; the oldest goes
PUBLISH_BACKLOG_CHUNKS_MAX: Final = 600  # 60 s of programme while the bus is away; then the oldest goes, counted
FEED_BACKLOG_FRAMES_MAX: Final = 500  # 10 s of a feed while the bus is away; then the oldest goes, counted
MESSAGE_BYTES_MAX: Final = 1024 * 1024  # NATS's own default; a chunk message is 4 kB

# --- stage ---------------------------------------------------------------------------------------
SEATS_MAX: Final = 13  # as many voices as a listener can tell apart with effort; X Spaces has 13
COHOSTS_MAX: Final = 2  # more hosts than that wait for one another
HANDS_MAX: Final = 500  # as many as a host can look through; the next is told to try again later
PERSON_NAME_LENGTH_MAX: Final = 60  # fits a line of a phone
ACT_RETENTION_S: Final = 90 * 24 * 3600  # who may appeal what was done to them on a stage does so within weeks
ACTS_MAX: Final = 20_000  # of one conversation: 1 MB to read for a gate that starts; then hands stay down
REASON_LENGTH_MAX: Final = 200  # one sentence
SEAT_KEPT_S: Final = 120  # a phone that changes from one network to another, a browser that is started again
HOST_MISSED_S: Final = 15  # longer than any reconnect, shorter than a crowd's patience
GATE_BODY_BYTES_MAX: Final = 64 * 1024  # an offer of a browser with many networks is 10 kB
GATE_CONVERSATIONS_MAX: Final = 500  # as an edge's
GATE_ECHOES_MAX: Final = 50  # who tests the microphone shares the core with who speaks: 2 % of it each
GATE_WATCHERS_MAX: Final = 2_000  # pages of those with a hand up: each costs a line of JSON per change
SEAT_FRAMES_MAX: Final = 250  # 5 s of one speaker waiting to be mixed; then the oldest goes, counted
HOP_REPORT_S: Final = 5.0  # how finely a recording says when a voice was slurred; 5 MB an hour for a full stage
MEDIA_HEARTBEAT_LOST_MS: Final = 600  # six chunks: a longer pause would be heard, a shorter one is jitter
FRAMES_PER_TURN_MAX: Final = 100  # after a stall the clock catches up 2 s per turn, so timers still run
CLOCK_STEP_MS: Final = 128  # NTP's step threshold (RFC 5905 §11.3): beyond it wall time jumped
CLOCK_SLEW_PPM: Final = 500  # NTP's maximum slew (RFC 5905 §11.3): nobody hears it

# --- telephone -----------------------------------------------------------------------------------
CALLS_MAX: Final = 50  # 0.8 % of a core each: 40 % of one, the rest is for those who speak from browsers
CALLS_PER_SECOND_MAX: Final = (
    5  # nobody's guests arrive faster; an answer costs 1 ms, so a flood gets 0.5 % of a core
)
CALL_BURST_MAX: Final = 15  # a whole stage dials at the hour
CALLS_PER_SOURCE_MAX: Final = 5  # an office or a family behind one address
CALLS_PER_SOURCE_PER_MINUTE_MAX: Final = 10  # five who each had to dial again
CALL_SOURCES_MAX: Final = 10_000  # addresses that are remembered, 3 MB; then the quietest is forgotten
CALL_UNACKNOWLEDGED_MAX_S: Final = 6  # x CALLS_PER_SECOND_MAX: forged calls alone never take all of CALLS_MAX
CALL_REFRESH_S: Final = 1_800  # RFC 4028 §4 recommends it: so long may a telephone that died keep its place
CALL_EVENTS_MAX: Final = 50  # keys and news of one call that wait; then the newest goes: nobody types so fast
WRONG_PINS_PER_HOUR_MAX: Final = 10  # three calls of three tries; gate/pin.py has the chance of a guess
SIP_DATAGRAMS_PER_SECOND_MAX: Final = (
    300  # that are parsed, 0.2 ms each: 6 % of a core; the rest is dropped, counted
)
SIP_BYTES_MAX: Final = 8_192  # an INVITE with video, ICE and a trunk's headers has under 4 kB
RTP_BYTES_MAX: Final = 1_500  # one Ethernet frame; 20 ms of G.711 have 172

# --- edge ----------------------------------------------------------------------------------------
RING_CHUNKS_MAX: Final = 300  # 30 s per rendition for those who resume: 240 kB at 64 kbit/s
LACKING_MAX: Final = 100_000  # listeners who said that they lack sound and are not counted again: 9 MB of a worker
LAGGARD_CHUNKS_MAX: Final = 100  # 10 s behind: further back the listener is moved to the live edge and told
REQUEST_BYTES_MAX: Final = 8_192  # request line and headers together; browsers send under 2 kB
REQUEST_DEADLINE_S: Final = 5.0  # a request that is not complete by then is a slowloris or a dead phone
IDLE_DEADLINE_S: Final = 30.0  # an idle keep-alive connection costs a descriptor somebody else may need
# Whom the kernel does not hold it does not answer, and they come again after a second, then two. This is a second
# and a half of joins; `rostra shield` asks for as large a net.core.somaxconn, which cuts it.
ACCEPT_QUEUE_MAX: Final = 16_384
ACCEPTS_PER_TURN_MAX: Final = 256  # about 8 ms of joins, as many as other events: these keep nobody out
ACCEPTS_BEHIND_MAX: Final = 16  # while writes wait: requests and joins get half of the time, the writes the other
RESPONSE_DEADLINE_S: Final = (
    60.0  # a page or a file of 300 kB at 40 kbit/s: who is slower reads to hold a descriptor
)
HALF_OPEN_SHARE_MAX: Final = 0.25  # of all descriptors without a whole request; then whoever waits longest goes
UNREAD_SHARE_MAX: Final = (
    0.25  # of all descriptors with an answer nobody reads; then likewise: a page fits the kernel
)
HANDSHAKES_PER_TURN_MAX: Final = 16  # of TLS, 0.3 ms each: 5 ms, then the writes get their turn again
SITE_HEADER_BYTES_MAX: Final = 32 * 1024  # of a request to site, gate or recordings: browsers send under 4 kB
SITE_CONNECTIONS_MAX: Final = 4_000  # of one process behind uvicorn, 60 kB each; more are told when to come again
BODY_BYTES_PER_S_MIN: Final = 500  # of an upload: a telephone on 2G sends ten times as fast
PROXY_HEADER_BYTES_MAX: Final = 1_024  # PROXY protocol: addresses take 52 bytes, what clouds add about 100
FORWARDED_HOPS_MAX: Final = 20  # proxies in a row that a request names; more is made up
PREFIXES_MAX: Final = 65_536  # sources the shield knows, 25 MB; then whoever has been quiet longest is forgotten
ASKING_PER_SOURCE_MAX: Final = 1_024  # connections of one address that do not listen: 500 pupils with a page each
ASKING_PER_NETWORK_MAX: Final = 4_096  # likewise of a /24 or a /48: a fifth of a worker's descriptors
BANS_MAX: Final = 1_000  # that edges share: one batch of the bus; the oldest goes, where it was made it stays
BANS_PENDING_MAX: Final = 1_000  # that wait to be told; then only this edge knows
WRITES_PER_TURN_MAX: Final = 512  # about 5 ms of writes, then accepts and timers get their turn again
DESCRIPTORS_RESERVED: Final = 64  # of RLIMIT_NOFILE: bus, listening sockets, logs, room to answer a refusal
WAITING_PER_WORKER_MAX: Final = 100_000  # 30 MB; beyond, people wait uncounted, and places are told too low
CENSUS_BINS_MAX: Final = 32  # per class in a report, once a second: a kilobyte, and places true to a percent
SEEN_MAX: Final = 2_000  # per report, of those who asked this worker: 16 kB; beyond, some count twice for a while
REVOKED_MAX: Final = 1_000  # listeners of one conversation, 30 kB; then the one that was revoked first is let in
SEVERAL_MAX: Final = 64  # listeners with several streams that a report names, the worst ones
NETWORKS_MAX: Final = 50_000  # whose turns are remembered, 8 MB; then the one seen longest ago begins anew
TICKET_KEYS_MAX: Final = 8  # kept until their tickets are over: who rotates oftener in a day is told to wait
STREAMS_PER_LISTENER_MAX: Final = 3  # of one ticket: a resume overlaps with what it replaces, twice at worst
CONVERSATIONS_PER_EDGE_MAX: Final = 500  # 500 x 5 renditions x 30 s is about 600 MB of rings

# --- recorder ------------------------------------------------------------------------------------
RECORDING_SYNC_S: Final = 0.5  # what a kill takes stays under a second, also when the disk needs half of one
# 130 s while the disk cannot be written: 1 MB; then the oldest goes, counted. A recorder that starts hears at once
# all that the bus still has, PROGRAMME_RETENTION_S of it, and what is said meanwhile.
RECORDING_PENDING_CHUNKS_MAX: Final = 1_300
RECORDING_PENDING_FRAMES_MAX: Final = 3_000  # likewise 60 s of each seat: 6 MB
RECORDING_PENDING_ENTRIES_MAX: Final = 5_000  # events meanwhile; a busy evening has one a second
RECORDING_STEMS_MAX: Final = 200  # who has sat on the stage in one evening; the next one has no stem, is counted
RECORDING_STEMS_OPEN_MAX: Final = 2 * SEATS_MAX  # open files; beyond, the one that has been quiet longest is closed
RECORDING_SEGMENTS_MAX: Final = 10_000  # a source with a hole every second for three hours; then it is not recorded
RECORDING_DISK_FREE_MIN_BYTES: Final = 64 * 1024 * 1024  # left to the bus and the log, which the sound needs first
RECORDING_TROUBLES_MAX: Final = (
    20  # bad moments of one voice on a page: more is "bad throughout"; all are in the journal
)
CHAPTER_MIN_S: Final = 10  # two speakers who interrupt each other are one chapter

# --- captions ------------------------------------------------------------------------------------
UTTERANCE_MAX_S: Final = 9.0  # two or three lines of a phone; recognising more of it again and again takes too long
UTTERANCE_LONG_MAX_S: Final = 28.0  # Whisper hears 30 s at a time; as PCM at 16 kHz it fits MESSAGE_BYTES_MAX
CAPTION_TEXT_LENGTH_MAX: Final = 500  # 28 s of the fastest speakers; beyond, a recogniser has run wild: it is cut
CAPTIONS_PER_MESSAGE_MAX: Final = 2 * SEATS_MAX  # all seats at once; 0.7 kB each at most: a chunk stays under 25 kB
CAPTIONS_PENDING_MAX: Final = 100  # that wait for the next chunk at a stage; then the oldest goes
CAPTIONS_KEPT_MAX: Final = 60  # for newcomers at an edge, ten minutes of one voice: 20 kB of WebVTT
CAPTIONER_LOST_S: Final = 5.0  # five of its seconds without a word: then another one is heard
CAPTION_BACKLOG_MAX_S: Final = 60.0  # of sound that waits, 12 MB; then the oldest goes, and listeners are told
CAPTION_WAIT_MAX_S: Final = 10.0  # a caption that comes later than this confuses more than it helps: it is skipped

# --- site ----------------------------------------------------------------------------------------
MEDIA_PICTURE_BYTES_MAX: Final = 16 * 1024 * 1024  # as Mastodon; a phone's photograph has 5 MB
MEDIA_BYTES_MAX: Final = 99 * 1024 * 1024  # sound and video, as Mastodon; below the 100 MB that proxies let through
SITE_BODY_BYTES_MAX: Final = MEDIA_BYTES_MAX + 1024 * 1024  # a form around it
MEDIA_PIXELS_MAX: Final = 33_177_600  # 7680x4320: decoded 133 MB; a bomb of 60,000 pixels a side would have 14 GB
MEDIA_SIDE_MAX: Final = 16_384  # what browsers' canvases and JPEG viewers show
MEDIA_KEPT_PIXELS_MAX: Final = 8_294_400  # 3840x2160: more is not seen on any screen
MEDIA_PREVIEW_PIXELS_MAX: Final = 230_400  # 640x360, as Mastodon's preview
MEDIA_DESCRIPTION_LENGTH_MAX: Final = 1_500  # as Mastodon's clients count
MEDIA_ATTACHMENTS_MAX: Final = 4  # of one post, as Mastodon
MEDIA_VIDEO_DURATION_MAX_S: Final = 600  # short video: ten minutes take a core two to three
MEDIA_SOUND_DURATION_MAX_S: Final = 4 * 3600  # an evening that somebody recorded; sound takes a minute an hour
MEDIA_VIDEO_RATE_MAX: Final = 120  # frames a second, as Mastodon
MEDIA_UNATTACHED_S: Final = 24 * 3600  # who has not posted by then has forgotten it
RATE_KEYS_MAX: Final = 100_000  # addresses and accounts that are counted, 30 MB; then the oldest begins anew
MEDIA_REMAKES_MAX: Final = 2  # pictures at once: each takes a core for a second and 400 MB at most
OUTBOUND_S: Final = 5.0  # a page that needs longer gets no card; its post has been shown long ago
OUTBOUND_REDIRECTS_MAX: Final = 3  # http, https, www: more is a loop or a tracker
CARD_PAGE_BYTES_MAX: Final = 1024 * 1024  # what a page says of itself is in its head
CARD_PICTURE_BYTES_MAX: Final = 8 * 1024 * 1024  # newspapers' pictures for cards have 1 MB
CARD_KEPT_S: Final = 14 * 24 * 3600  # then a page is asked again; as Mastodon
CARD_TITLE_LENGTH_MAX: Final = 300  # two lines of a card
CARD_DESCRIPTION_LENGTH_MAX: Final = 1_000  # a paragraph
PUSH_KEPT_S: Final = 48 * 3600  # a telephone that was off for a weekend; then nobody wants to be woken by it
PUSH_BODY_LENGTH_MAX: Final = 140  # push services take 4 kB; lock screens show two lines

# --- site: posts ---------------------------------------------------------------------------------
POST_LENGTH_MAX: Final = 500  # characters as people see them; Mastodon's own, which its clients count down from
POST_CODE_POINTS_MAX: Final = 10_000  # of which those are made: 20 to a character, or addresses that count as 23
POLL_OPTIONS_MAX: Final = 4  # Mastodon's own
POLL_OPTION_LENGTH_MAX: Final = 50
PINNED_POSTS_MAX: Final = 5  # Mastodon's own; more would be a page of their own
SCHEDULED_POSTS_MAX: Final = 300  # of one account; Mastodon's own
THREAD_POSTS_MAX: Final = 4_096  # shown of one thread to somebody who is logged in; Mastodon's own
THREAD_POSTS_ANONYMOUS_MAX: Final = 60  # a viral thread costs visitors 3 ms; Mastodon's own
THREAD_ANCESTORS_ANONYMOUS_MAX: Final = 40
THREAD_DEPTH_ANONYMOUS_MAX: Final = 20
FILTERS_MAX: Final = 100  # of one account: each is tried on every post of a page
FILTER_KEYWORDS_MAX: Final = 200  # likewise
LISTS_MAX: Final = 50  # of one account; Mastodon's own
FEATURED_TAGS_MAX: Final = 10  # of one account; Mastodon's own
MEMO_PAGES_MAX: Final = 500  # 30 kB each: the pages that a crowd asks for are a handful
CACHED_ENTITIES_MAX: Final = 20_000  # posts and accounts as bytes, 1.5 kB each: 30 MB of a process

# --- site: streams, announcements ----------------------------------------------------------------
STREAM_FRAMES_MAX: Final = 200  # of one stream that is read too slowly: 600 kB; then it is closed, and asks again
STREAM_MESSAGE_BYTES_MAX: Final = 16 * 1024  # of a WebSocket's client, who only subscribes: 200 bytes
STREAM_SUBSCRIPTIONS_MAX: Final = 50  # of one WebSocket: a client with a column for each
STREAMS_PER_ACCOUNT_MAX: Final = 50  # in one process: a few clients with a few windows each
STREAM_EVENTS_MAX: Final = 10_000  # that wait to be told in a storm of posts: a minute of it; then the newest goes
ANNOUNCEMENT_LENGTH_MAX: Final = 5_000  # a notice of the operator; more belongs on a page
ANNOUNCEMENT_REACTIONS_MAX: Final = 8  # different ones, as Mastodon: a row of a phone

# --- evidence ------------------------------------------------------------------------------------
EVIDENCE_SPOOL_BYTES_MAX: Final = (
    8 * 1024 * 1024
)  # of one edge: 50 minutes of entries of 2.6 kB; of others two hours
EVIDENCE_RETENTION_S: Final = 3_600  # in the bus, for a witness that is away: longer and the ledger has a gap
EVIDENCE_BYTES_MAX: Final = 256 * 1024 * 1024  # 28 edges for an hour, or 60 other processes
STATEMENT_LENGTH_MAX: Final = 2_000  # of what an official says about an evening: half a page
SOURCES_MAX: Final = 32_768  # networks that asked one edge in a minute, 10 MB; what is more is told as a number
RECEIPTS_PER_MINUTE_MAX: Final = 1_000  # that an edge takes of listeners: 0.4 % of a core, and 27 kB of an entry
JOIN_RECEIPTS_PER_SECOND_MAX: Final = 50  # signed by an edge: 0.4 % of a core; who asks beyond gets none
CERTIFICATE_SHOWN_BYTES_MAX: Final = 512 * 1024  # of capacity; one of four hours has as much, a message a megabyte
CERTIFICATES_BYTES_MAX: Final = (
    64 * 1024**2
)  # of all edges: a hundred of the largest, or thousands; the oldest goes
PROBE_ENTRIES_WAITING_MAX: Final = 1_000  # until the next second; full: probes are asked to come again
LIVE_VERDICTS_MAX: Final = 8  # conversations judged as they go on, 120 MB each in two hours; others at the end
VERDICT_BYTES_MAX: Final = 1024 * 1024  # one answer of the process that judges: a few kB, and each thing unknown
LISTENERS_ASKED_PER_S_MAX: Final = 256  # how their TCP is, at 2 us each: half a thousandth of a core
LEDGER_PENDING_ENTRIES_MAX: Final = 20_000  # that a full disk refuses: 30 MB, half an hour of ten processes
