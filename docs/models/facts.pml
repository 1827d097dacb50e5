/*
 * Facts and the conversation chain: a Promela model (docs/ARCHITECTURE.md, "Inbound" and "Facts").
 *
 * WHAT IS MODELLED
 *   One thread; the documents of its conversations n = 1, 2, 3 (D[0], D[1], D[2]); the message documents (a bit set);
 *   one topic with one consumer that skips seq <= last seen. Every handler below is one call of one replica, and may be
 *   stalled between any two of its steps for as long as it likes (that is what interleaving means), so it does not matter
 *   which of the two replicas runs it. One step is ONE of: read a document, read a message by id, compare-and-set, insert
 *   a record, publish a fact, clear. Only single documents are atomic. A handler may die before each step that leaves
 *   something behind (dying before a read or a compare-and-set leaves nothing, it is the same as a stall without end);
 *   an inbound record whose handler died is delivered again, and a second delivery may run at the same time (rebalance).
 *
 *   handlers   IN      an inbound record (refs 1 and 2): append to the open conversation; closed: reopen it, or open n+1
 *              SEND    POST messages into conversation 1 (ref 3): append, or 409 when closed; two = the client repeats it
 *              CLOSE   close, of any existing conversation          REOPEN  reopen, of any existing conversation
 *              AUTO    automation close: looks, waits, closes if the last inbound is still the one it saw
 *              POST    POST conversations: open n+1 without a message
 *   Sweeper    applies and clears what is pending, at any time, any number of times (10 s is not modelled: no time is)
 *   Wire       a produce that returned an error may still be written, at any later time
 *
 * PROPERTIES (assertions; the label stands beside each)
 *   E1 a ref gets at most one seq, in one conversation, whatever is delivered again; seq is gapless by construction
 *      (commit appends seq+1 in the compare-and-set), so no two facts share one
 *   E2 the consumer never skips a fact that it has not seen: what is first seen comes in the order 1, 2, 3 ...
 *   E3 at most one conversation is open, in the store and
 *   E4 as the consumer sees it: "opened" of n+1 is seen only when n is seen closed
 *   E5 a message that is in already is found: nothing is opened or reopened for it, its sender is never told 409
 *   E6 automation never closes over an inbound that it has not seen
 *   E7 when all is quiet: nothing is pending, every fact was seen, every acknowledged message has its document, every
 *      inbound record was acknowledged, `next` is set if and only if n+1 exists (nobody is stuck between the two)
 *   E8 n+1 copies the last inbound (the window's anchor) that n ended with; nothing is cleared that was not published
 *   E9 no livelock: the graph of states has no cycle at all (run with -DNP)
 *
 * RULES (-DRULE=, -DFOLLOW=)
 *   RULE=1   finish first: an Update publishes what it finds pending at EVERY read, then compare-and-set, then its own facts
 *   RULE=2   head first: compare-and-set at once, then apply from the HEAD of the list in the version just written, so
 *            the facts of others too (with FOLLOW=0 `next` is still set only after finishing)
 *   RULE=3   mixed: every second handler finishes first, the others go head first
 *   RULE=0   own only: a handler applies just the facts that it appended                              (wrong: E2)
 *   FOLLOW=0 opening n+1 is a compare-and-set of `next` on n, then an insert                          (E7 fails with POST)
 *   FOLLOW=1 setting `next` appends the fact "followed"; n+1 is the record which that fact implies, so it is inserted
 *            when n's list is applied, in order, by whoever applies it, the sweeper included
 *   WITH=1   (with FOLLOW=1) that record has the message for which it was opened, too: n+1 is never seen without it
 *   WITH=0   the message is put into n+1 in a second commit
 *
 * WRONG VARIANTS (-DWEAK=), each must fail; the flags after it give a small counterexample (SMALL means
 * -DIN1=1 -DIN2=1 -DCLOSES=0 -DREOPENS=0 -DCRASHES=0)
 *   1  finish only at the first read, not when reading again after a lost compare-and-set   E2  -DRULE=1 -DFOLLOW=0 SMALL
 *   2  ask "does the message exist" before the read of the conversation                     E1  SMALL but -DIN1=2
 *   3  clear the whole list instead of seq <= published                                     E7  SMALL but -DCRASHES=1
 *      (with three handlers and no crash: E2)                                               E2  SMALL -DSENDS=1
 *   4  go on publishing after a fact whose produce failed                                   E2  SMALL -DSTART=2 -DFAILS=1
 *   5  set `next` without finishing what is pending on n      E4  -DFOLLOW=0 -DSETTING=0 SMALL but -DCLOSES=1; and with
 *                                                             E1  -DVIEW=0 -DIN1=2 -DCRASHES=1 added (RULE=2)
 *   6  SEND looks at the status before it asks for existence  E5  SMALL but -DIN1=0 -DIN2=0 -DSENDS=1 -DCLOSES=1 -DCRASHES=1
 *   7  reopen although `next` is set                          E3  SMALL but -DIN2=0 -DREOPENS=1 -DSTART=2
 *   8  automation does not look at the last inbound again     E6  SMALL but -DIN2=0 -DAUTOS=1
 *   9  ask for existence only in an open conversation, so after opening or reopening       E5  SMALL but -DIN1=2 -DCLOSES=1
 *   10 insert the records of the whole list first, then publish it (FOLLOW=1)               E4  -DSETTING=0 SMALL but -DCLOSES=1
 *   no sweeper                E7  -DSWEEPERS=0 SMALL but -DCRASHES=1
 *   no repair of the chain    E7  -DFOLLOW=0 -DIN1=0 -DIN2=0 -DCLOSES=0 -DPOSTS=1 -DSTART=2
 *   Kafka away, finish first: a send is not committed       -DRULE=1 -DSTART=3 -DOUTAGE=1 SMALL but -DIN1=0 -DIN2=0 -DSENDS=1
 *   (OUTAGE needs ./pan -E: whoever waits for Kafka stands still)
 *
 * HOW TO RUN (Spin 6.5; without flags: the recommended rule within the bounds that the text names)
 *   spin -a facts.pml && cc -O2 -w -DSAFETY -DCOLLAPSE -DNOREDUCE -DMEMLIM=4000 -DVECTORSZ=4096 -o pan pan.c && ./pan -m50000
 *   flags go to spin:          spin -DRULE=1 -DFOLLOW=0 -DSTART=2 -a facts.pml
 *   shortest counterexample:   cc ... -DSAFETY -DBFS ..., ./pan, then  spin <the same flags> -t -p -g -l facts.pml
 *   no livelock (E9):          cc ... -DNP instead of -DSAFETY, then  ./pan -l -m50000
 *   the aliases:               spin -DALIASES=1 (wrong) or 2 (right), see the end of this file
 */

/* bounds: how many of each handler, and what may go wrong */
#ifndef RULE
#define RULE 2
#endif
#ifndef FOLLOW
#define FOLLOW 1
#endif
#ifndef WITH
#define WITH 1
#endif
#ifndef WEAK
#define WEAK 0
#endif
#ifndef IN1
#define IN1 2       /* deliveries of inbound record 1 that may run at the same time */
#endif
#ifndef IN2
#define IN2 1
#endif
#ifndef SENDS
#define SENDS 0
#endif
#ifndef CLOSES
#define CLOSES 1
#endif
#ifndef REOPENS
#define REOPENS 1
#endif
#ifndef POSTS
#define POSTS 0
#endif
#ifndef AUTOS
#define AUTOS 0
#endif
#ifndef SWEEPERS
#define SWEEPERS 1
#endif
#ifndef CRASHES
#define CRASHES 1   /* handlers or sweepers that may die (together) */
#endif
#ifndef FAILS
#define FAILS 0     /* produces that return an error: not written, or written late */
#endif
#ifndef START
#define START 1     /* conversation 1: 0 does not exist, 1 open, 2 closed, 3 open with a fact whose writer died */
#endif
#ifndef SETTING
#define SETTING 1   /* an inbound that finds it closed: 0 always opens n+1, 1 either (the hours may just be over) */
#endif
#ifndef VIEW
#define VIEW 1      /* 0: do not check E4 */
#endif
#ifndef OUTAGE
#define OUTAGE 0    /* 1: nothing can be published, ever; then only "the send was committed" is checked */
#endif
#ifndef NC
#define NC 3
#endif
#ifndef NF
#define NF 9
#endif

#ifndef ALIASES

#define NONE     0  /* status of a conversation: the document does not exist */
#define OPEN     1
#define CLOSED   2

#define OPENED   8  /* kinds of facts; below 8: the message with that ref */
#define SHUT     9
#define REOPENED 10
#define FOLLOWED 11
#define NOTED    12

#define IN       1  /* handlers */
#define SEND     2
#define CLOSE    3
#define REOPEN   4
#define AUTO     5
#define POST     6

#define BEGIN    0  /* where a handler stands: its next step */
#define READ     1
#define GET      2
#define CAS      3
#define INSERT   4
#define APPLY    5
#define CLEAR    6
#define LOST     7
#define DONE     8
#define OVER     9

typedef Conversation {
  byte st;          /* the document: status, */
  bit  next;        /*   n+1 was opened (or is being opened), */
  byte seq;         /*   last seq given, */
  byte gone;        /*   pending is the facts gone+1 .. seq, */
  byte fact[NF];    /*   their kinds (0 once cleared), */
  byte anchor;      /*   last inbound */
  byte with;        /*   with `next`: the message that n+1 is opened with */
  byte fresh;       /* instead of a growing rev: the handlers whose read is still current; any write empties it */
  byte seen;        /* the consumer: last seq seen, */
  byte view         /*   status as it has seen it */
}
Conversation D[NC];
byte messages;      /* message documents, a bit per ref */
byte committed;     /* refs that have a seq (for the properties only) */
byte acked;         /* refs acknowledged: offset committed, or 202 (for the properties only) */
byte crashes = CRASHES, fails = FAILS;
byte lateC, lateS;  /* a produce under way although its producer was told of an error */
byte running;
bit  begun;          /* the two deliveries of record 1 are alike: number the one that begins first 0 */

#define bitof(n)       (1 << (n))
#define isin(set, n)   ((set & bitof(n)) != 0)
#define kind(x, q)     D[x].fact[q-1]
#define ismsg(x, q)    (kind(x, q) > 0 && kind(x, q) < OPENED)
#define norecord(x, q) ((ismsg(x, q) && !isin(messages, kind(x, q))) || (kind(x, q) == FOLLOWED && D[x+1].st == NONE))
#define applied(x, q)  (D[x].seen >= q && !norecord(x, q))
#define pending(x)     (D[x].gone < D[x].seq)
#define current(x)     isin(D[x].fresh, me)
#define head(x)        (WEAK == 3 -> D[x].gone : 0)               /* what was cleared is applied (E8), so 0 says the same */
#define forget(x)      D[x].fresh = D[x].fresh & ~bitof(me)
#define inout          (op == IN || op == POST)                  /* those that may open n+1 */

/* ---- what one write does ---- */

inline wrote(x) { D[x].fresh = 0 }

inline commit(x, k) {                                             /* append one fact, inside a compare-and-set or an insert */
  assert(D[x].seq < NF);
  D[x].fact[D[x].seq] = k; D[x].seq++;
  if
  :: k < OPENED -> assert(!isin(committed, k)) /* E1 */; committed = committed | bitof(k)
  :: else
  fi }

inline setopen(x) {
  assert(D[0].st != OPEN && D[1].st != OPEN && D[NC-1].st != OPEN) /* E3 */;
  D[x].st = OPEN }

inline insertconv(x, w) {                                         /* w: the anchor copied from n; exists = done */
  if
  :: D[x].st == NONE ->
     setopen(x); D[x].anchor = w; commit(x, OPENED); wrote(x);
     assert(x == 0 || w == D[x-1].anchor) /* E8 */;
     if
     :: x > 0 && D[x-1].with > 0 -> commit(x, D[x-1].with); D[x].anchor = D[x-1].with
     :: else
     fi
  :: else
  fi }

inline deliver(x, q) {                                            /* fact q is in the log now; the consumer in the same step */
  if
  :: q > D[x].seen ->
     assert(q == D[x].seen + 1) /* E2 */; D[x].seen = q;
     if
     :: kind(x, q) == OPENED   -> assert(x == 0 || D[x-1].view == CLOSED || !VIEW) /* E4 */; D[x].view = OPEN
     :: kind(x, q) == REOPENED -> D[x].view = OPEN
     :: kind(x, q) == SHUT     -> D[x].view = CLOSED
     :: else
     fi
  :: else                                                         /* skipped: seq <= last seen */
  fi }

/* ---- applying facts lo+1 .. hi of conversation c: insert the record, then publish, one after the other ----
   A step that changes nothing (the record is there, the consumer has seen it) is taken together with its neighbour. */

inline skipdone() { s = lo; do :: s < hi && applied(c, s+1) -> s++ :: else -> break od }

inline applythen(p) { then = p; pc = APPLY; skipdone(); if :: s >= hi -> endapply() :: else fi; s = 0 }

inline endapply() {
  pc = then; then = 0; lo = 0;
  if
  :: pc == CLEAR && D[c].gone >= hi && WEAK != 3 -> cleared()
  :: pc != CLEAR -> hi = 0
  :: else
  fi }

inline cleared() { hi = 0; if :: onward -> onward = 0; c++; pc = READ :: else -> pc = DONE fi }

inline applystep() {
  d_step { skipdone() };
  if
  :: s >= hi -> d_step { endapply() }
  :: s < hi && (norecord(c, s+1) || !OUTAGE) ->
     d_step {
       u = s;                                                     /* whose record is inserted next */
       if
       :: WEAK == 10 -> do :: u < hi-1 && !norecord(c, u+1) -> u++ :: else -> break od
       :: else
       fi;
       if
       :: norecord(c, u+1) && ismsg(c, u+1)  -> messages = messages | bitof(kind(c, u+1))
       :: norecord(c, u+1) && !ismsg(c, u+1) -> insertconv(c+1, D[c].anchor)
       :: else                               -> deliver(c, s+1)
       fi;
       u = 0;
       skipdone();
       if :: s >= hi -> endapply() :: else fi }
  :: s < hi && crashes > 0 -> crashes--; pc = LOST
  :: s < hi && !norecord(c, s+1) && fails > 0 ->                  /* the produce returns an error */
     fails--;
     if :: true :: lateS == 0 -> lateC = c; lateS = s+1 fi;       /* not written, or will be */
     if
     :: WEAK == 4 -> lo = s+1; failed = 1
     :: WEAK != 4 && then == CLEAR && !onward -> lo = 0; hi = 0; then = 0; pc = DONE      /* left to others */
     :: else -> lo = 0; hi = 0; then = 0; onward = 0; pc = READ                           /* try again */
     fi
  fi;
  s = 0 }

inline clearstep() {                                              /* one compare-and-set, repeated until it succeeds */
  if
  :: crashes > 0 -> crashes--; pc = LOST
  :: true -> d_step {
     if
     :: failed -> failed = 0
     :: !failed && WEAK == 3 -> D[c].gone = D[c].seq; wrote(c)
     :: !failed && WEAK != 3 && D[c].gone < hi ->
        assert(D[c].seen >= hi) /* E8 */;
        do :: D[c].gone < hi -> D[c].fact[D[c].gone] = 0; D[c].gone++ :: else -> break od;
        wrote(c)
     :: else
     fi;
     cleared() }
  fi }

/* ---- the steps of an Update ---- */

#define finishfirst (RULE == 1 || (RULE == 3 && (me & 1)) || (RULE == 2 && !FOLLOW && D[c].st == CLOSED && inout))

inline readstep() {
  do                                                              /* to the end of the chain (`next` never changes back) */
  :: inout && D[c].next && D[c+1].st != NONE -> c++
  :: else -> break
  od;
  if
  :: D[c].st == NONE -> pc = (inout -> INSERT : DONE)             /* no conversation yet; 404 */
  :: inout && D[c].next && !FOLLOW ->                             /* somebody set `next` and has not inserted yet: insert */
     anchor = D[c].anchor; c++; pc = INSERT
  :: inout && D[c].next && FOLLOW ->                              /* the same: apply n, which inserts n+1, and go on there */
     onward = 1; lo = head(c); hi = D[c].seq; applythen(CLEAR)
  :: D[c].st == OPEN && (op == REOPEN || op == POST) -> pc = DONE
  :: D[c].st == CLOSED && (op == CLOSE || op == AUTO || (op == REOPEN && D[c].next && WEAK != 7)) -> pc = DONE
  :: D[c].st == OPEN && op == AUTO && D[c].anchor != saw && WEAK != 8 -> pc = DONE
  :: else ->
     D[c].fresh = D[c].fresh | bitof(me);
     lo = head(c); hi = D[c].seq;
     if
     :: op == SEND -> shut = (D[c].st == CLOSED); was = isin(committed, ref)
     :: else
     fi;
     if
     :: ref > 0 ->                                                /* is it among the pending of this read? */
        s = lo;
        do :: s < hi -> if :: D[c].fact[s] == ref -> exists = 1 :: else fi; s++ :: else -> break od;
        s = 0
     :: else
     fi;
     goal = (ref > 0 && !(WEAK == 9 && D[c].st == CLOSED) -> GET : CAS);
     if
     :: finishfirst && !(WEAK == 1 && again) && !(WEAK == 5 && D[c].st == CLOSED) -> applythen(goal)
     :: else -> lo = 0; hi = 0; pc = goal
     fi;
     goal = 0;
     if :: WEAK == 1 -> again = 1 :: else fi
  fi }

inline getstep() {                                                /* the message by id, after the read */
  if :: WEAK != 2 -> exists = (exists || isin(messages, ref)) :: else fi;
  if :: WEAK == 6 && shut -> exists = 0 :: else fi;
  if
  :: exists -> acked = acked | bitof(ref); pc = DONE
  :: !exists && shut -> assert(!was) /* E5 */; pc = DONE          /* 409 */
  :: else -> pc = CAS
  fi;
  shut = 0; was = 0; exists = 0 }

inline casstep() {                                                /* the read is current, so the document is what was read */
  if
  :: !current(c) -> readstep()                                    /* lost: read again */
  :: else ->
     lo = ((RULE == 2 || RULE == 3 || (RULE == 1 && WEAK != 1)) -> head(c) : D[c].seq); /* from the head, or only what is appended now (RULE=1: the same) */
     if
     :: D[c].st == OPEN && ref > 0 ->
        commit(c, ref); acked = acked | bitof(ref);
        if :: op == IN -> D[c].anchor = ref :: else fi
     :: op == CLOSE || op == AUTO ->
        assert(op == CLOSE || D[c].anchor == saw) /* E6 */;
        commit(c, SHUT); D[c].st = CLOSED
     :: op == REOPEN ->
        setopen(c); commit(c, REOPENED)
     :: D[c].st == CLOSED && op == IN && reopen ->
        assert(!isin(committed, ref)) /* E5 */;
        setopen(c); commit(c, REOPENED); commit(c, ref); D[c].anchor = ref; acked = acked | bitof(ref)
     :: D[c].st == CLOSED && inout && !reopen ->
        assert(op == POST || !isin(committed, ref)) /* E5 */;
        assert(c+1 < NC);
        D[c].next = 1; onward = 1;
        if
        :: FOLLOW && WITH && op == IN -> commit(c, FOLLOWED); D[c].with = ref
        :: FOLLOW && !(WITH && op == IN) -> commit(c, FOLLOWED)
        :: else
        fi
     fi;
     wrote(c);
     if
     :: onward && !FOLLOW -> lo = 0; onward = 0; anchor = D[c].anchor; c++; pc = INSERT
     :: else -> hi = D[c].seq; applythen(CLEAR)
     fi
  fi }

inline insertstep() {                                             /* the first conversation, or (FOLLOW=0) n+1 */
  if
  :: crashes > 0 -> crashes--; pc = LOST
  :: true -> d_step {
     insertconv(c, anchor); anchor = 0;
     if
     :: op == IN -> pc = READ
     :: else -> lo = 0; hi = 1; applythen(CLEAR)
     fi }
  fi }

inline tidy() {                                                   /* forget what is of no use any more: fewer states */
  if
  :: pc >= LOST ->
     forget(c);
     c = 0; lo = 0; hi = 0; anchor = 0; saw = 0; then = 0; exists = 0; shut = 0; was = 0; failed = 0; again = 0; onward = 0;
     if
     :: pc == LOST && ref > 0 -> pc = BEGIN                       /* delivered again; sent again by its client */
     :: pc == DONE || op != IN || isin(acked, ref) -> pc = OVER; running--
     fi
  :: else
  fi }

proctype Handler(byte me, op, ref) {
  byte c,           /* the conversation it works on */
       lo, hi, s, u, /* facts to apply */
       anchor, saw, pc, then, goal;
  bit  exists, shut, was, failed, again, onward, reopen;
end:
  do
  :: atomic { pc == BEGIN && (ref != 1 || me == 0 || begun) ->
       if :: ref == 1 -> begun = 1 :: else fi;
       if                                                         /* which conversation the call names */
       :: true
       :: (op == CLOSE || op == REOPEN || op == AUTO) && D[1].st != NONE -> c = 1
       :: (op == CLOSE || op == REOPEN || op == AUTO) && NC > 2 && D[NC-1].st != NONE -> c = NC-1
       fi;
       if
       :: op == AUTO -> saw = D[c].anchor; pc = READ
       :: op != AUTO && ref > 0 && WEAK == 2 -> exists = isin(messages, ref); pc = READ
       :: else -> d_step { readstep(); tidy() }
       fi }
  :: atomic { pc == READ   -> d_step { readstep(); tidy() } }
  :: atomic { pc == GET    -> d_step { getstep(); tidy() } }
  :: atomic { pc == CAS    -> if :: true :: op == IN && SETTING -> reopen = 1 fi; d_step { casstep(); reopen = 0; tidy() } }
  :: atomic { pc == INSERT -> insertstep(); tidy() }
  :: atomic { pc == APPLY  -> applystep(); tidy() }
  :: atomic { pc == CLEAR  -> clearstep(); tidy() }
  od
}

proctype Sweeper() {
  byte c, lo, hi, s, u, pc, then; bit failed, onward;
end:
  do
  :: atomic { pc == BEGIN && (pending(0) || pending(1) || pending(NC-1)) ->
       if :: pending(0) -> c = 0 :: pending(1) -> c = 1 :: NC > 2 && pending(NC-1) -> c = NC-1 fi;
       lo = head(c); hi = D[c].seq; applythen(CLEAR) }
  :: atomic { pc == APPLY -> applystep(); if :: pc >= LOST || pc == READ -> c = 0; lo = 0; hi = 0; then = 0; pc = BEGIN :: else fi }
  :: atomic { pc == CLEAR -> clearstep(); if :: pc >= LOST -> c = 0; hi = 0; pc = BEGIN :: else fi }
  od
}

proctype Wire() {
end:
  do :: atomic { lateS > 0 -> deliver(lateC, lateS); lateS = 0; lateC = 0 } od
}

inline start(n, o, r) { i = 0; do :: i < n -> run Handler(running, o, r); running++; i++ :: else -> break od; i = 0 }

init {
  byte i;
  atomic {
    if
    :: START == 0
    :: START > 0 -> D[0].st = OPEN; D[0].view = OPEN; D[0].seq = 1; D[0].gone = 1; D[0].seen = 1
    fi;
    if
    :: START == 2 -> D[0].st = CLOSED; D[0].view = CLOSED; D[0].seq = 2; D[0].gone = 2; D[0].seen = 2
    :: START == 3 -> D[0].fact[1] = NOTED; D[0].seq = 2
    :: else
    fi;
    start(IN1, IN, 1); start(IN2, IN, 2); start(SENDS, SEND, 3);
    start(CLOSES, CLOSE, 0); start(REOPENS, REOPEN, 0); start(AUTOS, AUTO, 0); start(POSTS, POST, 0);
    do :: i < SWEEPERS -> run Sweeper(); i++ :: else -> break od; i = 0;
    if :: FAILS > 0 -> run Wire() :: else fi
  };
  atomic {                                                        /* E7 */
    timeout ->
    if
    :: OUTAGE -> assert(SENDS == 0 || isin(acked, 3))
    :: else ->
       assert(running == 0);
       do
       :: i < NC ->
          assert(D[i].gone == D[i].seq);
          assert(D[i].seen == D[i].seq);
          assert(i == 0 || (D[i].st != NONE) == D[i-1].next);
          i++
       :: else -> break
       od;
       assert((acked & messages) == acked && messages == committed);
       assert((IN1 == 0 || isin(acked, 1)) && (IN2 == 0 || isin(acked, 2)))
    fi
  }
}

#else
/*
 * Before all that, an inbound record finds its thread: alias documents, first seen wins. "Message by id, then pending" looks
 * at ONE chain, so every delivery of a record must come to the same thread. Alias 0 is p, alias 1 is b; a new thread is
 * named after the first alias of the record that made it (p: 1, b: 2). Record 1 carries p and b, in this order, and comes
 * twice; record 2 carries p; record 3 carries b. Of the conversation only what matters here is kept: pending, and rev.
 *   ALIASES=1  whatever alias is found decides; the others are inserted, "exists" is done                  (wrong: E1)
 *   ALIASES=2  the document of the record's FIRST alias decides, and its insert is answered by what stands there
 */
byte thread[2];               /* alias documents; 0: none */
byte pend[3], fresh[3];       /* of each thread */
byte messages, committed, crashes = CRASHES;
#define bitof(n)     (1 << (n))
#define isin(set, n) ((set & bitof(n)) != 0)

proctype Delivery(byte me, ref, first, second) {                  /* second 2: there is none */
  byte t, other; bit exists;
again:
  t = thread[first];
  if :: second < 2 -> other = thread[second] :: else fi;
  if
  :: t == 0 ->
     atomic { t = (other > 0 -> other : first+1);
              if :: thread[first] == 0 -> thread[first] = t :: ALIASES == 2 && thread[first] > 0 -> t = thread[first] :: else fi }
  :: else
  fi;
  if :: second < 2 -> atomic { if :: thread[second] == 0 -> thread[second] = t :: else fi } :: else fi;
read:
  atomic { fresh[t] = fresh[t] | bitof(me); exists = isin(pend[t], ref) };
  atomic { exists = (exists || isin(messages, ref)); if :: exists -> goto done :: else fi };
  atomic {
    if
    :: !isin(fresh[t], me) -> goto read
    :: else -> assert(!isin(committed, ref)) /* E1 */; committed = committed | bitof(ref); pend[t] = pend[t] | bitof(ref); fresh[t] = 0
    fi };
  atomic { if :: crashes > 0 -> crashes--; t = 0; other = 0; goto again :: messages = messages | bitof(ref) fi };
  atomic { if :: crashes > 0 -> crashes--; t = 0; other = 0; goto again :: pend[t] = pend[t] & ~bitof(ref); fresh[t] = 0 fi };
done:
  t = 0; other = 0; exists = 0
}

init {
  atomic { run Delivery(0, 1, 0, 1); run Delivery(1, 1, 0, 1); run Delivery(2, 2, 0, 2); run Delivery(3, 3, 1, 2) };
  atomic { timeout -> assert(committed == (bitof(1) | bitof(2) | bitof(3))) }
}
#endif
