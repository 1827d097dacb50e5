/*
 * windows.pml: a window that allows a number of messages (docs/ARCHITECTURE.md, "Windows"; promise P8).
 *
 * WHAT IS MODELLED
 *   One conversation document with its anchor, which what the customer wrote last has made: the attempts that have taken one of the
 *   COUNT places that it allows (a set, taken), and which of them are known to be settled (done). ATTEMPTS attempts with one message
 *   document each, queued by handlers that run at any time. The provider counts for itself: it forgets its count when the customer
 *   writes, and an attempt that it accepts counts there.
 *   An attempt's outcome is one of: accepted; refused, so that it provably did not happen; unknown, whether it happened or not. The
 *   inbox learns of it by a record that comes once or twice; the handler writes the message document, and then gives the place back in
 *   the conversation, which is another document. It may die between the two (CRASHES); then the record comes again. The customer
 *   writes WRITES times, at any time; what they write reaches the conversation later than the provider, as it does in life.
 *   One step is one update of one document.
 *
 * RULES
 *   TAKE    1: a place is taken in the update that queues the attempt, which looks whether one is left
 *           0: it is looked for in one update, taken in another                                              (wrong: W1)
 *   BACK    1: what is given back is what this very attempt has taken
 *           0: a number is counted down                                                                      (wrong: W1)
 *   PROVEN  1: a place is given back only of an attempt that provably did not happen
 *           0: also of one whose outcome is unknown                                                          (wrong: W1)
 *   CARRY   1: when the customer writes, an attempt keeps its place unless it is known that it was settled before that
 *           2: unless it is known to be settled                                                              (wrong: W1)
 *           0: all places are free then                                                                      (wrong: W1)
 *   AGAIN   1: a handler that finds the message document written goes on to the conversation all the same
 *           0: it is over then                                                                               (wrong: W2)
 *
 * PROPERTIES
 *   W1 the provider is never asked for more than COUNT messages that it counts for what the customer did last
 *   W2 when all is quiet, no attempt that provably did not happen has a place, and every other that has one is known to be settled
 *
 * HOW TO RUN
 *   spin -a [-D...] windows.pml && gcc -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 */

#ifndef TAKE
#define TAKE 1
#endif
#ifndef BACK
#define BACK 1
#endif
#ifndef PROVEN
#define PROVEN 1
#endif
#ifndef CARRY
#define CARRY 1
#endif
#ifndef AGAIN
#define AGAIN 1
#endif
#ifndef COUNT
#define COUNT 1
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef WRITES
#define WRITES 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define NEW      0   /* an attempt: not asked for yet */
#define QUEUED   1   /* on its way to the provider */
#define ACCEPTED 2   /* what the provider, or the caller, says of it */
#define REFUSED  3
#define UNKNOWN  4
#define DENIED   5   /* refused here: no place was left */

byte taken;                /* the conversation: a bit per attempt, */
byte done;                 /*   which of them are settled */
byte size;                 /*   how many taken has; with BACK 0 the number that is counted up and down */
byte counted, wrote;       /* the provider: its count since the customer wrote, and how often they did */
byte at[ATTEMPTS];         /* when an attempt was settled, by that clock */
byte state[ATTEMPTS];      /* attempts, as the provider's side has settled them */
byte known[ATTEMPTS];      /* message documents: what they say */
byte crashes = CRASHES;

#define bitof(n)  (1 << (n))
#define left      (size < COUNT)

inline put(n) { taken = taken | bitof(n); size++ }
inline drop(n) {
  if
  :: BACK && (taken & bitof(n)) -> taken = taken & ~bitof(n); size--
  :: !BACK && size > 0          -> taken = taken & ~bitof(n); size--
  :: else
  fi }
inline settled(n, s) { at[n] = wrote; state[n] = s }
inline reopen(g) {                                                     /* what the customer wrote as their g-th has arrived */
  b = 0; size = 0;
  do
  :: b < ATTEMPTS ->
     if
     :: (taken & bitof(b)) && (CARRY == 0 || ((done & bitof(b)) && (CARRY == 2 || at[b] < g))) -> taken = taken & ~bitof(b)
     :: (taken & bitof(b)) && !(CARRY == 0 || ((done & bitof(b)) && (CARRY == 2 || at[b] < g))) -> size++
     :: else
     fi;
     b++
  :: b == ATTEMPTS -> break
  od;
  b = 0; done = done & taken }

/* The customer writes: the provider knows at once, the conversation when the message arrives. */
proctype Customer() {
  byte n, b;
  do
  :: n < WRITES ->
     d_step { counted = 0; wrote++ }; n++;
     d_step { reopen(n) }
  :: n == WRITES -> break
  od
}

/* One attempt: queued if a place is left, sent, settled. */
proctype Attempt(byte n) {
  if
  :: TAKE           -> d_step { if :: left -> put(n); state[n] = QUEUED :: else -> state[n] = DENIED fi }
  :: !TAKE && left  -> skip; d_step { put(n); state[n] = QUEUED }
  :: !TAKE && !left -> state[n] = DENIED
  fi;
  if
  :: state[n] == QUEUED ->
     if                                                              /* the call */
     :: true -> d_step { counted++; assert(counted <= COUNT) /* W1 */; settled(n, ACCEPTED) }
     :: true -> d_step { settled(n, REFUSED) }
     :: true -> d_step { counted++; assert(counted <= COUNT) /* W1 */; settled(n, UNKNOWN) }
     :: true -> d_step { settled(n, UNKNOWN) }                                /* it never arrived, which is not known */
     fi
  :: else
  fi
}

/* The inbox takes over an outcome, which comes once or twice. */
proctype Outcome(byte n) {
  bit news, twice;
  state[n] > QUEUED;
  do
  :: state[n] == DENIED -> break
  :: else ->
     d_step { news = (known[n] != state[n]); known[n] = state[n] };
     if
     :: crashes > 0 -> crashes--                                     /* it dies here, and the record comes again */
     :: true ->
        d_step {
          if
          :: !news && !AGAIN
          :: else ->
             if
             :: state[n] == REFUSED || (!PROVEN && state[n] == UNKNOWN) -> drop(n)
             :: else -> done = done | (taken & bitof(n))
             fi
          fi };
        if
        :: !twice -> twice = 1
        :: true   -> break
        fi
     fi
  od
}

init {
  byte n;
  atomic {
    run Customer();
    do
    :: n < ATTEMPTS -> run Attempt(n); run Outcome(n); n++
    :: n == ATTEMPTS -> break
    od
  };
  (_nr_pr == 1);
  d_step {
    n = 0;
    do
    :: n < ATTEMPTS -> assert(!(taken & bitof(n)) || (state[n] != REFUSED && (done & bitof(n)))) /* W2 */; n++
    :: n == ATTEMPTS -> break
    od
  }
}
