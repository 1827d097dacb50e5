/*
 * sessions.pml - connections on which a channel sends and receives (docs/adr/0027, P1, P7): who has one, what is acknowledged,
 * and how messages that lie in another partition than their channel's come to it
 *
 * Run (Spin 6.5):  spin -a sessions.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m20000 -E
 *
 * HAND 0: the connection
 *   members   two; the channel's partition is given to one, and moves. The one before may not have heard of it yet (a zombie).
 *             A member may freeze, or not reach the store: then its lease runs out. What its host does at the lease's end is done a
 *             third of the lease's time before another may take it; what the session does may come later.
 *   lease     one document: who holds it. It is released, or it runs out while its holder is frozen or dead.
 *   peer      has INS messages; brings each with every new connection until it is acknowledged
 *   S1        the peer never has two connections of the channel
 *   S2        what was acknowledged is durable
 *   S3        in the end every message is durable and acknowledged
 * HAND 1: one message in the old partition P, of a channel whose home is partition H. OLDROW 0: no row of it, 1: its row waits, 2: its row
 *   is being called by a process of before that is gone. The owners of P and H may die at any step, and are replaced.
 *   S4        the message is called at most once
 *   S5        in the end it has an outcome
 */
#ifndef HAND
#define HAND 0
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef MOVES
#define MOVES 2
#endif
#ifndef INS
#define INS 2
#endif
#ifndef OLDROW
#define OLDROW 0
#endif
/* ---- rules (1: kept) ---- */
#ifndef ONEBIND         /* a connection is opened only under the channel's lease (0: by whoever owns the partition) */
#define ONEBIND 1
#endif
#ifndef CUT             /* the host cuts the connection when the lease cannot be kept (0: the session closes it when it comes to it) */
#define CUT 1
#endif
#ifndef ACK             /* the peer is acknowledged after the produce (0: before) */
#define ACK 1
#endif
#ifndef FORWARD         /* a record without a row is published to the home, then done (0: done, then published) */
#define FORWARD 1
#endif
#ifndef HANDON          /* a waiting row that was handed on stays its partition's, and is handed on again (0: it is forgotten) */
#define HANDON 1
#endif
#ifndef OWNROW          /* a record of which a row exists is done where it lies (0: it is handed on, too) */
#define OWNROW 1
#endif

/*
 * With one rule left out: ONEBIND, CUT break S1; ACK breaks S2; FORWARD, HANDON (OLDROW 1), OWNROW (OLDROW 2) break S5.
 */

byte crashes;

#if HAND == 0

#define FREE 2
byte owner;             /* of the partition */
byte moves;
byte lease = FREE;
bool bind[2];
bool durable[INS], acked[INS];

#define BOUND(m) (bind[m])
#define DROP(m) bind[m] = false; if :: lease == m -> lease = FREE :: else fi

active [2] proctype member() {
  byte i, got;
  bool mine;
again:
  mine = false; got = INS;
  do
  :: atomic { owner == _pid && !mine && !BOUND(_pid) && (lease == FREE || !ONEBIND) ->
       mine = true; if :: ONEBIND -> lease = _pid :: else fi }
  :: mine && !BOUND(_pid) && (lease == _pid || !ONEBIND) -> atomic { bind[_pid] = true; assert(!(bind[0] && bind[1])) } /* S1 */
  :: BOUND(_pid) && got == INS -> atomic { /* the peer brings something */
       i = 0; do :: i < INS && acked[i] -> i++ :: else -> break od;
       if :: i < INS -> got = i :: else -> goto rest fi }
  :: BOUND(_pid) && got < INS && ACK -> durable[got] = true;
       atomic { if :: BOUND(_pid) -> assert(durable[got]); acked[got] = true :: else fi; got = INS }
  :: BOUND(_pid) && got < INS && !ACK -> atomic { acked[got] = true };
       atomic { if :: crashes < CRASHES -> crashes++; assert(durable[got]) /* S2 */ :: durable[got] = true fi; got = INS }
  :: atomic { owner != _pid && mine -> DROP(_pid) }; goto again /* the partition moved: closed in order, then released */
  :: atomic { crashes < CRASHES && mine -> crashes++; DROP(_pid) }; goto again /* dies: the peer sees the connection end */
  :: atomic { crashes < CRASHES && mine && lease == _pid -> crashes++; /* the store is away, or it freezes: the lease runs out */
       if :: CUT -> bind[_pid] = false :: else fi; lease = FREE };
       bind[_pid] = false; goto again
  :: else -> goto rest
  od;
rest:
end:
  do
  :: owner == _pid && !mine && (lease == FREE || !ONEBIND) -> goto again
  :: atomic { owner != _pid && mine -> DROP(_pid) }; goto again
  :: atomic { mine && crashes < CRASHES -> crashes++; DROP(_pid) }; goto again
  :: timeout -> assert(durable[0] && durable[INS - 1] && acked[0] && acked[INS - 1]); break /* S3 */
  od
}

active proctype group() {
end:
  do
  :: moves < MOVES -> atomic { moves++; owner = 1 - owner }
  od
}

#else

mtype = { none, waiting, calling, final };
#if OLDROW == 0
mtype row = none;
#elif OLDROW == 1
mtype row = waiting;
#else
mtype row = calling;
#endif
bool home;              /* the row's partition is H */
bool live;              /* whoever calls it lives */
byte called;
bool done = (OLDROW == 1);  /* P's record is committed */
bool copy;              /* a record of it in H is not committed; several are as one */
bool knows;             /* the owner of H has the row in its table */

#define DIE(where) if :: crashes < CRASHES -> crashes++; goto where :: true fi
#define CLAIM  row = calling; live = true; called++; assert(called < 2) /* S4 */

active proctype old() {
  bool known;
start:
  known = done && (row == waiting || row == calling) && !home; /* TAKEOVER */
end:
  do
  :: !done && row == none && FORWARD -> copy = true; DIE(start); done = true
  :: !done && row == none && !FORWARD -> done = true; DIE(start); copy = true
  :: !done && row != none && (OWNROW || home) -> atomic { known = !home; done = true }
  :: !done && row != none && !OWNROW && !home -> copy = true; DIE(start); done = true
  :: known && row == waiting && !copy && !knows -> copy = true; if :: HANDON -> skip :: else -> known = false fi
  :: known && row == calling && !live -> atomic { if :: row == calling && !live -> row = final :: else fi } /* DEADLINE, WRITEUNKNOWN */
  :: known && row == final -> known = false
  :: crashes < CRASHES -> crashes++; goto start
  od
}

active proctype new() {
start:
  atomic { live = false; knows = (row == waiting || row == calling) && home };
end:
  do
  :: copy && row == none -> atomic { if :: row == none -> CLAIM; home = true :: else -> goto over fi };
       DIE(start); row = final; copy = false
  :: copy && row == none -> atomic { if :: row == none -> row = waiting; home = true; knows = true :: else fi }; DIE(start); copy = false
  :: copy && row == waiting -> atomic { knows = true; copy = false }  /* ADOPT */
  :: copy && row == calling && !home -> copy = false                  /* COPYRULE */
  :: copy && row == calling && home && !live -> row = final           /* DEADLINE */
  :: copy && row == final -> copy = false
  :: knows && row == waiting -> atomic { if :: row == waiting -> CLAIM :: else -> goto over fi }; /* CASDRAIN */
       DIE(start); atomic { row = final; knows = false }
  :: knows && row == calling && !live -> row = final
  :: knows && row == final -> knows = false
  :: crashes < CRASHES -> crashes++; goto start
over: skip
  od
}

active proctype look() {
end:
  do
  :: timeout -> assert(row == final); break /* S5 */
  od
}
#endif
