/*
 * receipts.pml: what becomes of an outbound message (service deliverystatus).
 * docs/ARCHITECTURE.md, "Receipts"; promises P3 and P6.
 *
 * WHAT IS MODELLED
 *   One attempt with PARTS parts (provider calls), each with its own provider id. Records on `receipts`: for each
 *   part a send result (attempt -> provider id, step accepted), receipts sent, failed, delivered, read, and a send
 *   result without a provider id (step unknown); MARKS read watermarks of the peer. Every subset of the receipts,
 *   in every order, by WORKERS handlers at once (two replicas; a third is a stalled process that wakes later).
 *   DUPS records come twice, at any time, also while the first delivery is still in hand. CRASHES handlers or
 *   publishers die, at any step; what was not acknowledged comes again. A part may or may not be covered by a
 *   watermark. Documents, each changed by compare-and-set alone:
 *     S[p]  one per (channel, provider id): steps, and the link (attempt, part, number of parts, thread, peer, at)
 *     A     one per attempt: steps per part, status, pending facts
 *     W     one per (channel, peer): read up to
 *   Facts: a commit that adds steps appends one; pending = Alo+1..Ahi. The next updater publishes what is pending
 *   before it commits; a sweeper (any replica, any time) publishes and clears the rest. The consumer of
 *   message-status keeps the maximum, and a list of steps for which it skips a seq it has seen.
 *   Not modelled: several attempts or peers (they share only W, whose look-up handles one attempt after the other),
 *   the time a step happened, clock skew between `at` and a watermark, the consumer's own crashes.
 *
 * THE RULE (what the code below does)
 *   R1 A receipt is one Update of S: it adds its step and sees the link. A send result is one Update of S: it adds
 *      the link and its step, and sees the steps held. If there is a link, Update A follows.
 *   R2 A handler that finds its own write already there goes on all the same: the one that wrote may have died.
 *   R3 A send result reads W after it has written A. A watermark writes W, then looks the attempts up by (channel,
 *      peer, unread, at), and writes the step in the attempt, in the same Update that ends `unread`.
 *   R4 With parts: queued until every part was heard of, so that an attempt that failed has nothing under way; then delivered
 *      or read once every part is; else failed if any part has a failed step; else the lowest. (With one part: the highest
 *      of its steps.)
 *   R5 A step is known by (provider id, status). Every new one is a fact, whether or not the status rises.
 *
 * CHECKED
 *   - when all is quiet: the attempt has exactly the steps that were delivered (P6), each once (P3); its status is
 *     the highest of them (R4); every part that a watermark covers is read, and no other; the consumer's maximum is
 *     that status, and its list has every step;
 *   - at every commit: an attempt that failed has heard of every part (R4); the status does not go back (P6), no step is added twice; facts arrive in order, without gap;
 *   - nothing waits for ever: no run stops before all is quiet (else an invalid end state), and no run is endless
 *     (-DNP: there is no progress label, so any cycle would be reported; compare-and-set retries are in it).
 *
 * HOW TO RUN (the default takes about a minute and 0.6 GB; -w: Spin's own code warns)
 *   spin -a [-D...] receipts.pml && gcc -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 *   endless runs:      gcc -w -O2 -DNP -DCOLLAPSE -o pan pan.c && ./pan -l -m100000
 *   a shortest trace:  gcc -w -O2 -DSAFETY -DBFS -o pan pan.c && ./pan; spin -t -p -g -l [-D...] receipts.pml
 *
 * SIZE (default)
 *   WORKERS (2)  PARTS 1 or 2 (1)  MARKS 0..2 (1)  CRASHES (1)  DUPS (1)  SWEEPERS (1)
 *   KINDS0 (29), KINDS1 (9): the records part 0, part 1 may have, a mask: 1 send result (it always comes), 2 sent,
 *     4 failed, 8 delivered, 16 read, 32 unknown without provider id
 *   FACTS (1): 0 publishes inside the commit, for larger bounds of the rest
 *   LATES (0): that many produces which returned an error are written later all the same
 *   EXPIRIES (0): 1: S of part 0 may expire once while it has no link; the steps it held are counted as lost
 *   UPTO: a read receipt stands for everything sent before it too (Instagram names a message, not a time): whoever
 *     sees link and read together raises W to that message's `at` and looks up
 *   TWO_STEP: read and compare-and-set are two steps. Otherwise they are one where the Update does nothing between
 *     them: a compare that fails has no effect, so only the read before the one that succeeds counts.
 *
 * PASSED, exhaustively                                                                  states
 *   (default)                                                                         8,175,951
 *   -DKINDS0=31 -DDUPS=0                                                              8,842,983
 *   -DKINDS0=31 -DCRASHES=0                                                           9,844,313
 *   -DKINDS0=31 -DFACTS=0 -DCRASHES=2 -DDUPS=2                                       12,803,735
 *   -DKINDS0=63 -DFACTS=0                                                             4,538,309
 *   -DKINDS0=31 -DFACTS=0 -DMARKS=2                                                   6,883,984
 *   -DKINDS0=31 -DFACTS=0 -DWORKERS=3                                                 5,835,197
 *   -DKINDS0=9 -DWORKERS=3                                                              594,533
 *   -DKINDS0=9 -DSWEEPERS=2 -DLATES=1                                                 1,797,529
 *   -DKINDS0=31 -DFACTS=0 -DTWO_STEP                                                 15,707,383
 *   -DKINDS0=9 -DTWO_STEP                                                               188,888
 *   -DKINDS0=27 -DFACTS=0 -DTWO_STEP -DEXPIRIES=1                                     5,798,543
 *   -DPARTS=2 -DKINDS0=13 -DKINDS1=13 -DFACTS=0                                       9,076,076
 *   -DPARTS=2 -DKINDS0=13 -DKINDS1=9 -DMARKS=0                                        4,858,055
 *   -DPARTS=2 -DKINDS0=9 -DKINDS1=25 -DFACTS=0 -DUPTO                                 1,449,679
 *   endless runs, none: -DFACTS=0 424,403; -DKINDS0=9 205,169; -DKINDS0=9 -DTWO_STEP 377,775;
 *     -DKINDS0=9 -DMARKS=0 -DSWEEPERS=2 -DLATES=1 121,295; -DKINDS0=11 -DFACTS=0 -DTWO_STEP -DEXPIRIES=1 1,146,889;
 *     -DPARTS=2 -DKINDS0=1 -DKINDS1=17 -DFACTS=0 -DUPTO 118,791
 *
 * FAILS, AS IT MUST: one wrong reading each. Where no size is given: -DCRASHES=0 -DDUPS=0 -DFACTS=0 -DMARKS=0 -DKINDS0=9
 *   V_LINK_LAST     the send result copies the steps it finds, and links afterwards
 *   V_SKIP_KNOWN    already there = handled                    -DCRASHES=1; the watermark: -DMARKS=1 -DKINDS0=1
 *   V_EXISTS_DONE   an insert that meets ErrExists = done      -DTWO_STEP
 *   V_BLIND         write without compare                      -DTWO_STEP
 *   V_MARK_FIRST    the send result reads W before it writes   -DMARKS=1 -DKINDS0=1
 *   V_STALE         W is read from a secondary or a cache      -DMARKS=1 -DKINDS0=1
 *   V_MARK_VIA_S    the watermark looks up S, and marks it     -DMARKS=1 -DKINDS0=1 -DCRASHES=1
 *                   before it writes A
 *   V_MARK_STEP     a watermark's step has an id of its own    -DMARKS=1 -DKINDS0=17
 *   V_UPTO_RECEIPT  only the receipt raises W                  -DUPTO -DPARTS=2 -DKINDS0=1 -DKINDS1=17
 *   V_PARTS_TEXT    failed if any part is, else the lowest     -DPARTS=2 -DKINDS0=13 -DKINDS1=1
 *   V_FAILED_EARLY  failed before every part was heard of      -DPARTS=2 -DKINDS0=5 -DKINDS1=1
 *   V_PARTS_KNOWN   the lowest of the parts known so far       -DPARTS=2 -DKINDS0=9 -DKINDS1=1
 *   V_CLEAR_ALL     pending is emptied, not what was published taken out of it      -DFACTS=1
 *   V_OWN_FACTS     an updater leaves what is pending, and publishes its own        -DFACTS=1
 *   V_FACT_ON_RISE  a fact only if the status rises                                 -DFACTS=1
 *   SWEEPERS=0      nobody comes back for pending facts                             -DFACTS=1 -DKINDS0=1
 *   V_EXPIRE_LINKED expiry looks first and deletes by id later                      -DKINDS0=11 -DTWO_STEP -DEXPIRIES=1
 *   V_REV_AGAIN     a document made again starts at the same rev                    -DKINDS0=11 -DTWO_STEP -DEXPIRIES=1
 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef PARTS
#define PARTS 1
#endif
#ifndef MARKS
#define MARKS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DUPS
#define DUPS 1
#endif
#ifndef FACTS
#define FACTS 1
#endif
#ifndef SWEEPERS
#define SWEEPERS FACTS
#endif
#ifndef LATES
#define LATES 0
#endif
#ifndef EXPIRIES
#define EXPIRIES 0
#endif
#ifndef KINDS0
#define KINDS0 29
#endif
#ifndef KINDS1
#define KINDS1 9
#endif

/* ranks; a set of steps is a mask of them */
#define UNKNOWN   1
#define ACCEPTED  2
#define SENT      3
#define FAILED    4
#define DELIVERED 5
#define READ      6
#define BIT(x)    (1 << (x))
#define RANK(m)   ((m) & 64 -> 6 : ((m) & 32 -> 5 : ((m) & 16 -> 4 : ((m) & 8 -> 3 : ((m) & 4 -> 2 : ((m) & 2 -> 1 : 0))))))
#define MIN(a,b)  ((a) < (b) -> (a) : (b))

/* records: part * NK + kind, then the watermarks; a receipt of kind c carries the step c + 2 */
#define RESULT 0
#define NOREF  5
#define NK     6
#define MARK   6
#define MARK0  (NK*PARTS)
#define NREC   (MARK0+2)
#define STEP(kind) ((kind) == NOREF -> UNKNOWN : (kind) + 2)

byte todo[NREC];		/* deliveries not yet in hand */
short pres;			/* records that exist */
byte left, busy;		/* sum of todo; handlers with a record in hand */
byte crashes = CRASHES, dups = DUPS;
byte at[PARTS];			/* the provider's time of each part; watermark i stands for time i */
byte want[PARTS];		/* the steps each part must end with */

/* S: a provider id */
bool Shere[PARTS], Slink[PARTS];
byte Sstep[PARTS];
#ifdef TWO_STEP
byte Srev[PARTS];
#endif

/* A: the attempt. Its rev is Aseen: who has read the present revision. Compare-and-set succeeds
   exactly if one's own bit is still there, and every write takes all bits away. */
byte Aseen;
byte Astep[PARTS];
bool Apart[PARTS];		/* the part is known here, with peer and time: the watermark's look-up finds it */
byte Astat;
byte Alo, Ahi;			/* facts Alo+1..Ahi are pending */
#define NF (6*PARTS+2)
byte fstat[NF];			/* what a fact says; zeroed once consumed, to save states */
byte f0[NF];
#if PARTS == 2
byte f1[NF];
#endif

/* W: the watermark; one number, so that its Update is one step */
byte Wmark;

/* the consumer of message-status */
byte cmax;			/* the highest status */
byte cseq;			/* the highest seq it has seen */
byte cset[PARTS];		/* the steps it has listed */

byte sweeping;
#if LATES > 0
byte lates = LATES;
short late;
#endif
#if EXPIRIES > 0
byte lost;
#endif

#if PARTS == 1
#define STATUS     RANK(Astep[0])
#define WANTED     RANK(want[0])
#else
#define LOWEST(a,b) MIN(RANK(a), RANK(b))
#ifdef V_PARTS_TEXT
#define FOLD(a,b)  (RANK(a) == FAILED || RANK(b) == FAILED -> FAILED : LOWEST(a,b))
#elif defined(V_FAILED_EARLY)
#define FOLD(a,b)  (LOWEST(a,b) >= DELIVERED -> LOWEST(a,b) : (((a)|(b)) & BIT(FAILED) -> FAILED : LOWEST(a,b)))
#else
#define FOLD(a,b)  ((a) == 0 || (b) == 0 -> 0 : \
	(LOWEST(a,b) >= DELIVERED -> LOWEST(a,b) : (((a)|(b)) & BIT(FAILED) -> FAILED : LOWEST(a,b))))
#endif
#ifdef V_PARTS_KNOWN
#define STATUS     (Astep[0] == 0 -> RANK(Astep[1]) : (Astep[1] == 0 -> RANK(Astep[0]) : FOLD(Astep[0], Astep[1])))
#else
#define STATUS     FOLD(Astep[0], Astep[1])
#endif
#define WANTED     FOLD(want[0], want[1])
#endif

#define QUIET (left == 0 && busy == 0 && sweeping == 0 && Alo == Ahi)

inline check() {
	if
	:: QUIET ->
#if EXPIRIES == 0
		assert(Astep[0] == want[0]);
		assert(Astat == WANTED);
#else
		assert(((Astep[0] | lost) & want[0]) == want[0]);
		assert((Astep[0] & want[0]) == Astep[0]);
		assert(Astat == STATUS);
#endif
		assert(cset[0] == Astep[0]);
#if PARTS == 2
		assert(Astep[1] == want[1]);
		assert(cset[1] == Astep[1]);
#endif
		assert(cmax == Astat)
	:: else
	fi
}

/* ---- facts ---- */

inline consume(n) {
	if :: fstat[n] > cmax -> cmax = fstat[n] :: else fi;
	if
	:: n > cseq ->
		assert(n == cseq + 1);		/* in order, no gap: so a consumer may skip what is not above its seq */
		cseq = n;
		cset[0] = cset[0] | f0[n];
		fstat[n] = 0; f0[n] = 0;
#if PARTS == 2
		cset[1] = cset[1] | f1[n];
		f1[n] = 0;
#endif
	:: else
	fi
}

inline publish(n) {
	consume(n);
#if LATES > 0
	if
	:: lates > 0 -> lates--; late = late | BIT(n)	/* and once more, later */
	:: true
	fi
#endif
}

proctype sweeper() {
	byte pub, hi;
end:
	do
	:: atomic { Alo < Ahi -> pub = Alo; hi = Ahi; sweeping++ };
		do
		:: atomic { pub < hi -> pub++; publish(pub) }
		:: atomic { pub >= hi ->
#ifdef V_CLEAR_ALL
			Alo = Ahi;
#else
			if :: Alo < hi -> Alo = hi; Aseen = 0 :: else fi;
#endif
			pub = 0; hi = 0; sweeping--; check();
			break
		   }
		:: atomic { crashes > 0 -> crashes--; pub = 0; hi = 0; sweeping--; break }
		od
	od
}

#if LATES > 0
/* a produce that returned an error is written later all the same */
proctype network() {
	byte n;
end:
	do
	:: atomic { late != 0 ->
		n = 1;
		do
		:: late & BIT(n) -> break
		:: (late >> (n+1)) != 0 -> n++
		od;
		late = late & ~BIT(n);
		consume(n);
		n = 0;
		check()
	   }
	od
}
#endif

/* ---- expiry of a provider id nobody has claimed ---- */

#if EXPIRIES > 0
proctype expiry() {
end:
	if
	:: atomic { Shere[0] && !Slink[0] ->
#ifdef V_EXPIRE_LINKED
		skip };
	   atomic {
#endif
		lost = lost | Sstep[0];
		Shere[0] = 0; Slink[0] = 0; Sstep[0] = 0;
#ifdef V_REV_AGAIN
		Srev[0] = 0
#endif
	   }
	fi
}
#endif

/* ---- handlers ---- */

#define CRASH    :: atomic { crashes > 0 -> crashes--; todo[r]++; left++; drop(); goto idle }
#define TAKE(i)  :: todo[i] > 0 -> todo[i]--; left--; r = i
#define AGAIN(i) :: dups > 0 && (pres & BIT(i)) -> dups--; r = i

inline forget() {		/* what was read of S and A */
	Aseen = Aseen & ~BIT(_pid);
	add = 0; hi = 0; pub = 0; here = 0; link = 0; rev = 0; held = 0
}

inline drop() {			/* the handler is gone; the record stays unacknowledged */
	busy--;
	forget();
	r = 0; kind = 0; k = 0; step = 0; t = 0; checked = 0; upto = 0
}

inline acknowledge() {
	if
	:: true
	:: crashes > 0 -> crashes--; todo[r]++; left++	/* died just before */
	fi;
	drop();
	check()
}

/* what a watermark t still has to mark in the attempt */
#ifdef V_MARK_STEP
#define UNREAD(p) (Apart[p] && at[p] <= t)
#else
#define UNREAD(p) (Apart[p] && at[p] <= t && !(Astep[p] & BIT(READ)))
#endif
#if PARTS == 1
#define ANYUNREAD UNREAD(0)
#else
#define ANYUNREAD (UNREAD(0) || UNREAD(1))
#endif

/* the function of the Update of A, and its commit */
inline apply() {
	if
	:: t > 0 ->
		n0 = (UNREAD(0) -> BIT(READ) : 0);
#if PARTS == 2
		n1 = (UNREAD(1) -> BIT(READ) : 0);
#endif
	:: t == 0 && k == 0 -> n0 = add & ~Astep[0]; Apart[0] = Apart[0] || kind != NOREF
#if PARTS == 2
	:: t == 0 && k == 1 -> n1 = add & ~Astep[1]; Apart[1] = Apart[1] || kind != NOREF
#endif
	fi;
	Aseen = 0;
#ifndef V_OWN_FACTS
	Alo = Ahi;				/* all published by now */
#endif
	if
	:: n0 || n1 ->
		assert((Astep[0] & n0) == 0);	/* every step once */
		Astep[0] = Astep[0] | n0;
#if PARTS == 2
		assert((Astep[1] & n1) == 0);
		Astep[1] = Astep[1] | n1;
#endif
		assert(STATUS >= Astat);	/* only forward */
#if PARTS == 2
		assert(STATUS != FAILED || (Astep[0] && Astep[1]));	/* R4 */
#endif
		if
#ifdef V_FACT_ON_RISE
		:: STATUS == Astat
#endif
		:: else ->
			Astat = STATUS;
			Ahi++;
			fstat[Ahi] = Astat;
			f0[Ahi] = n0;
#if PARTS == 2
			f1[Ahi] = n1;
#endif
#if FACTS == 0
			consume(Ahi);
			Alo = Ahi
#endif
		fi
	:: else
	fi;
	n0 = 0; n1 = 0
}

/* R1, R2: S is written, or had it already. Linked: what goes on to A; else it is held there. */
inline written() {
	if
	:: kind == RESULT -> add = add | held
	:: kind != RESULT && link -> add = BIT(step)
	:: else -> acknowledge(); goto idle
	fi;
#ifdef UPTO
#ifdef V_UPTO_RECEIPT
	upto = kind != RESULT && (add & BIT(READ));
#else
	upto = (add & BIT(READ)) != 0;
#endif
#endif
	here = 0; link = 0; rev = 0; held = 0
}

/* R3: own first; then the look-up, which is the read of `attempt` */
inline raise() {
	if
	:: Wmark < t -> Wmark = t
	:: else
#ifdef V_SKIP_KNOWN
		-> acknowledge(); goto idle
#endif
	fi
}

/* A is written, or had it already */
inline after() {
	forget();
	t = 0;
#ifdef V_OWN_FACTS
	if
	:: Ahi > 0 -> publish(Ahi)
	:: true
	fi;
#endif
#ifdef V_LINK_LAST
	if
	:: kind == RESULT -> goto linklast
	:: else
	fi;
#endif
	if
	:: upto || (kind == RESULT && !checked) -> goto other
	:: else -> acknowledge(); goto idle
	fi
}

proctype worker() {
	byte r, kind, k, step;		/* the record; its part and step */
	byte t;				/* a watermark's time, 0 for the others */
	bool checked;			/* the send result has read W */
	bool upto;			/* W is to be raised to this part's time */
	bool here, link; byte rev, held;	/* S as read */
	byte add;			/* steps for part k of A */
	byte hi, pub;			/* pending facts of A as read; published so far */
	byte n0, n1;

idle:
end:
	/* Taking a record and its first write are one step: waiting between them is the same as taking it later.
	   So are the last step and the acknowledgement, but for a crash between them. */
	atomic {
		if
		TAKE(0) TAKE(1) TAKE(2) TAKE(3) TAKE(4) TAKE(5)
		AGAIN(0) AGAIN(1) AGAIN(2) AGAIN(3) AGAIN(4) AGAIN(5)
#if PARTS == 2
		TAKE(6) TAKE(7) TAKE(8) TAKE(9) TAKE(10) TAKE(11)
		AGAIN(6) AGAIN(7) AGAIN(8) AGAIN(9) AGAIN(10) AGAIN(11)
#endif
		TAKE(MARK0) TAKE(MARK0+1)
		AGAIN(MARK0) AGAIN(MARK0+1)
		fi;
		busy++;
		if
		:: r >= MARK0 ->
			kind = MARK; t = r - MARK0 + 1;
			raise();
#ifdef V_MARK_VIA_S
			goto vias
#else
			goto attempt
#endif
		:: else -> kind = r % NK; k = r / NK; step = STEP(kind)
		fi;
		if
		:: kind == NOREF -> add = BIT(step); goto attempt
		:: kind == RESULT ->
#ifdef V_MARK_FIRST
			checked = 1;
			add = (Wmark >= at[k] -> BIT(READ) : 0);
#endif
#ifdef V_LINK_LAST
			add = Sstep[k] | BIT(step); goto attempt
#endif
		:: else
		fi;
#ifndef TWO_STEP
		/* R1: Update of S, created if absent */
#ifdef V_SKIP_KNOWN
		if
		:: (Sstep[k] & BIT(step)) && (kind != RESULT || Slink[k]) -> acknowledge(); goto idle
		:: else
		fi;
#endif
		held = Sstep[k] | BIT(step);
		link = Slink[k] || kind == RESULT;
		Shere[k] = 1; Sstep[k] = held; Slink[k] = link;
		written();
		goto attempt
#endif
	};

#ifdef TWO_STEP
providerid:
	atomic {
		here = Shere[k]; rev = Srev[k]; link = Slink[k]; held = Sstep[k];
		if
		:: here && (held & BIT(step)) && (kind != RESULT || link) -> written(); goto attempt
		:: else
		fi
	};
	if
	:: atomic {
		if
#ifdef V_EXISTS_DONE
		:: !here && Shere[k] -> acknowledge(); goto idle
#endif
#ifdef V_BLIND
		:: true
#else
		:: here == Shere[k] && rev == Srev[k]
		:: !(here == Shere[k] && rev == Srev[k]) -> goto providerid
#endif
		fi;
		held = held | BIT(step);
		link = link || kind == RESULT;
		Shere[k] = 1; Srev[k]++; Sstep[k] = held; Slink[k] = link;
		written();
		goto attempt
	   }
	CRASH
	fi;
#endif

attempt:	/* Update of A, created if absent */
	if
	:: atomic {
		if
		:: t > 0 && !ANYUNREAD -> after()
		:: t == 0 && (add & ~Astep[k]) == 0 && (Apart[k] || kind == NOREF) -> after()
		:: else
		fi;
#ifndef TWO_STEP
		if
		:: Alo == Ahi -> apply(); after()
		:: else
		fi;
#endif
		Aseen = Aseen | BIT(_pid); hi = Ahi; pub = Alo
	   }
	CRASH
	fi;
	do
#ifndef V_OWN_FACTS
	:: atomic { pub < hi -> pub++; publish(pub) }	/* first finish what is pending */
	CRASH
#endif
	:: atomic {
#ifndef V_OWN_FACTS
		pub >= hi ->
#endif
		if
		:: !(Aseen & BIT(_pid)) -> hi = 0; pub = 0; goto attempt
		:: else -> apply(); after()
		fi
	   }
	od;

other:	/* R3: all own documents are written */
	if
	:: atomic { upto -> upto = 0; t = at[k]; raise(); goto attempt }
	:: atomic { !upto ->
		checked = 1;
		if
		:: Wmark >= at[k] -> add = BIT(READ); goto attempt
		:: Wmark < at[k] -> acknowledge(); goto idle
#ifdef V_STALE
		:: true -> acknowledge(); goto idle
#endif
		fi
	   }
	CRASH
	fi;

#ifdef V_LINK_LAST
linklast:
	if
	:: atomic { Sstep[k] = Sstep[k] | BIT(step); Slink[k] = 1; acknowledge(); goto idle }
	CRASH
	fi;
#endif
#ifdef V_MARK_VIA_S
vias:
	if
	:: atomic {
		if
		:: Slink[0] && at[0] <= t && !(Sstep[0] & BIT(READ)) ->
			t = 0; Sstep[0] = Sstep[0] | BIT(READ); add = BIT(READ); goto attempt
		:: else -> acknowledge(); goto idle
		fi
	   }
	CRASH
	fi;
#endif
	skip
}

/* ---- which records there are ---- */

#define SOME(p, mask, kind) if \
	:: ((mask) >> (kind)) & 1 -> todo[(p) * NK + (kind)] = 1; pres = pres | BIT((p) * NK + (kind)); left++; \
		want[p] = want[p] | BIT(STEP(kind)) \
	:: (kind) != RESULT -> skip \
	fi
#define ALL(p, mask) SOME(p, mask, 0); SOME(p, mask, 1); SOME(p, mask, 2); SOME(p, mask, 3); SOME(p, mask, 4); SOME(p, mask, 5)
#define COVERS(p, x) if :: at[p] <= (x) -> want[p] = want[p] | BIT(READ) :: else fi
#define WHEN(p) if :: at[p] = 1 :: MARKS > 0 -> at[p] = 2 :: MARKS > 1 -> at[p] = 3 fi

init {
	atomic {
		ALL(0, KINDS0);
		WHEN(0);
#if PARTS == 2
		ALL(1, KINDS1);
#ifdef UPTO
		at[1] = at[0] + 1;
		if :: want[1] & BIT(READ) -> want[0] = want[0] | BIT(READ) :: else fi;
#else
		WHEN(1);
#endif
#endif
		if
		:: true
		:: MARKS > 0 -> todo[MARK0] = 1; pres = pres | BIT(MARK0); left++; COVERS(0, 1);
#if PARTS == 2
			COVERS(1, 1)
#endif
		fi;
		if
		:: true
		:: MARKS > 1 -> todo[MARK0+1] = 1; pres = pres | BIT(MARK0+1); left++; COVERS(0, 2);
#if PARTS == 2
			COVERS(1, 2)
#endif
		fi;
		run worker();
#if WORKERS > 1
		run worker();
#endif
#if WORKERS > 2
		run worker();
#endif
#if SWEEPERS > 0
		run sweeper();
#endif
#if SWEEPERS > 1
		run sweeper();
#endif
#if LATES > 0
		run network();
#endif
#if EXPIRIES > 0
		run expiry();
#endif
	}
	QUIET -> skip		/* must be reached: else an invalid end state, something waits for ever */
}
