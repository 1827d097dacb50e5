// The chat itself, in its iframe: what is said and shown. How it gets there is in line/.
import { Line } from './line.js'
import { bubble, links } from './bubble.js'
import { ask } from './form.js'

const $ = id => document.getElementById(id)
const base = new URL('.', location.href)
const channel = base.pathname.split('/').filter(Boolean).pop()
const host = new URLSearchParams(location.search).get('origin')
const embedded = window.parent !== window && host
const line = new Line(base, channel)

let open = !embedded, unread = 0, lastRead = '', oldest = 0, form = null, pending = [], typed = 0, page = null
const shown = new Map() // message id or clientId → element
const said = new Map() // message id → frame, as it is now

// ── The page around us ──────────────────────────────────────────────────────────────────────────────────────────────────

const tell = message => { if (embedded) window.parent.postMessage({ tributary: channel, ...message }, host) }

let begun = 0
function begin() { // who the visitor is may be said right behind where they are
  clearTimeout(begun)
  begun = setTimeout(() => line.start(page), 50)
}

addEventListener('message', e => {
  if (!embedded || e.source !== window.parent || e.origin !== host || !e.data || e.data.tributary !== channel) return
  const m = e.data
  switch (m.type) {
    case 'page': {
      const first = !page
      page = { url: String(m.url), title: String(m.title || ''), referrer: String(m.referrer || '') }
      if (first) begin()
      else line.say({ t: 'page', url: page.url, title: page.title, ts: m.ts })
      break
    }
    case 'identify': line.identity = m.identity; begin(); break
    case 'logout': line.forget(); begin(); break // nothing of the former person is shown from here on
    case 'open': open = true; seen(); $('text').focus(); break
    case 'closed': open = false; break
  }
})
addEventListener('keydown', e => { if (e.key === 'Escape' && embedded) tell({ type: 'close' }) })
$('close').hidden = !embedded
$('close').addEventListener('click', () => tell({ type: 'close' }))

// ── What comes in ───────────────────────────────────────────────────────────────────────────────────────────────────────

line.addEventListener('session', e => {
  const theme = e.detail.theme || {}
  $('title').textContent = document.title = theme.title || 'Chat'
  $('greeting').textContent = theme.greeting || ''
  $('greeting').hidden = !theme.greeting
  if (/^#[0-9a-f]{6}$/i.test(theme.accent || '')) {
    const text = bright(theme.accent) ? '#000' : '#fff', root = document.documentElement.style
    root.setProperty('--accent', theme.accent)
    root.setProperty('--on-accent', text)
    root.setProperty('--focus', 'var(--text)')
    tell({ type: 'accent', accent: theme.accent, text })
  }
  form = e.detail.verified ? null : e.detail.preChatForm
})

line.addEventListener('state', e => {
  $('state').textContent = e.detail.connected ? 'Online' : e.detail.refused ? 'Not available' : 'Connecting …'
  $('state').classList.toggle('on', e.detail.connected)
  if (e.detail.refused) fail(e.detail.refused)
})

function empty() {
  $('first').hidden = true
  $('compose').hidden = false
  for (const e of $('log').querySelectorAll('[src^="blob:"]')) URL.revokeObjectURL(e.src)
  shown.clear()
  said.clear()
  $('log').replaceChildren()
  $('older').hidden = true
  typing(false)
}

// cleared: the former person's draft, files and notices go with what was said.
line.addEventListener('cleared', () => {
  empty()
  form = null
  lastRead = ''
  $('text').value = ''
  pending = []
  chosen()
  fail('')
  tell({ type: 'unread', count: unread = 0 })
})

line.addEventListener('reset', e => {
  empty()
  e.detail.events.forEach(f => place(f))
  $('older').hidden = !e.detail.more
  oldest = e.detail.events[0]?.seq || 0
  for (const f of line.outbox.values()) own(f)
  if (form && !e.detail.events.length && !line.store.read('form', false)) questions()
  down(true)
  seen()
})

line.addEventListener('message', e => {
  const near = atEnd
  place(e.detail)
  if (e.detail.author !== 'visitor') {
    typing(false)
    if (!looked()) tell({ type: 'unread', count: ++unread })
  }
  down(near || e.detail.author === 'visitor')
  seen()
})

for (const t of ['edit', 'delete']) line.addEventListener(t, e => revise(e.detail))
line.addEventListener('ack', e => { const li = shown.get(e.detail.clientId); if (li) { shown.set(e.detail.id, li); note(li, 'Sent') } })
line.addEventListener('typing', e => typing(e.detail.on))
line.addEventListener('read', e => { const li = shown.get(e.detail.upTo); if (li) note(li, 'Seen') })
line.addEventListener('error', e => {
  const f = e.detail, li = shown.get(f.clientId)
  if (f.retryable) return li && note(li, 'Waiting …')
  if (li) note(li, 'Not sent', true)
  fail(f.detail || 'That did not work.')
})

const uses = f => ({ file: id => line.file(id), pick: (choice, kind) => pick(f, choice, kind), quoted: id => shown.get(id)?.dataset.text })

// revise shows a message as it is after an edit, or that it was deleted. One that is not shown is read so from the history.
function revise(f) {
  const li = shown.get(f.id), was = said.get(f.id)
  if (!li || !was) return
  const now = f.t === 'edit'
    ? { ...was, text: f.text, interactive: f.interactive, edited: true }
    : { t: 'message', id: was.id, author: was.author, name: was.name, ts: was.ts, deleted: true }
  const fresh = bubble(now, uses(now))
  fresh.classList.toggle('same', li.classList.contains('same'))
  for (const e of li.querySelectorAll('[src^="blob:"]')) URL.revokeObjectURL(e.src)
  li.replaceWith(fresh)
  said.set(f.id, now)
  shown.set(f.id, fresh)
}

function place(f, before) {
  if (f.t === 'edit' || f.t === 'delete') return revise(f)
  const there = (f.id && shown.get(f.id)) || (f.clientId && shown.get(f.clientId))
  if (there) { // our own, back from the server
    if (f.id) shown.set(f.id, there)
    note(there, 'Sent')
    return there
  }
  const li = bubble(f, uses(f))
  if (f.id) {
    shown.set(f.id, li)
    said.set(f.id, f)
  }
  if (f.clientId) shown.set(f.clientId, li)
  if (before) $('log').insertBefore(li, before)
  else $('log').append(li)
  const previous = li.previousElementSibling
  li.classList.toggle('same', previous?.dataset.author === li.dataset.author && li.dataset.ts - previous.dataset.ts < 120000)
  return li
}

// own shows what is on its way.
function own(f, files) {
  const li = place({ ...f, author: 'visitor', ts: Date.now(), attachments: files, text: f.t === 'postback' ? f.title : f.text })
  note(li, 'Sending …')
  down(true)
  return li
}

// note is the line below our newest message that says how far it got; older ones need none.
function note(li, text, bad) {
  if (!li?.classList.contains('mine')) return
  let p = li.querySelector('.note')
  if (p?.textContent === 'Seen' && !bad) return
  if (!p) li.append(p = Object.assign(document.createElement('p'), { className: 'note' }))
  p.textContent = text
  p.classList.toggle('bad', !!bad)
  if (bad) return
  for (const other of $('log').querySelectorAll('.note:not(.bad)')) if (other !== p && other.textContent === text) other.remove()
}

function typing(on) {
  clearTimeout(typing.timer)
  $('typing').textContent = on ? 'Typing' : ''
  if (on) typing.timer = setTimeout(() => typing(false), 12000)
}

const looked = () => open && !document.hidden && document.hasFocus()

// seen tells how far was read: only what somebody looks at.
function seen() {
  if (!open || document.hidden) return
  if (unread) tell({ type: 'unread', count: unread = 0 })
  const theirs = [...$('log').querySelectorAll(':scope > li:not(.mine)')].at(-1)?.dataset.id
  if (!theirs || theirs === lastRead) return
  lastRead = theirs
  line.say({ t: 'read', upTo: theirs })
}
addEventListener('focus', seen)
document.addEventListener('visibilitychange', seen)

// Whoever is at the end stays there when something grows: a message, a picture that has come.
let atEnd = true
$('scroll').addEventListener('scroll', () => { atEnd = $('scroll').scrollHeight - $('scroll').scrollTop - $('scroll').clientHeight < 60 })
function down(yes) { if (yes) { $('scroll').scrollTop = $('scroll').scrollHeight; atEnd = true } }
new ResizeObserver(() => down(atEnd)).observe($('log'))

$('older').addEventListener('click', async () => {
  const first = $('log').firstElementChild, height = $('scroll').scrollHeight
  let h
  try { h = await line.history(oldest) } catch (e) {
    if (e.name !== 'AbortError') fail('Earlier messages cannot be read just now.')
    return
  }
  if (first !== $('log').firstElementChild) return // read anew meanwhile
  h.events.forEach(f => place(f, first))
  oldest = h.events[0]?.seq || oldest
  $('older').hidden = !h.more
  $('scroll').scrollTop += $('scroll').scrollHeight - height
})

// ── What goes out ───────────────────────────────────────────────────────────────────────────────────────────────────────

$('compose').addEventListener('submit', e => { e.preventDefault(); send() })
$('text').addEventListener('keydown', e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); send() } })
$('text').addEventListener('input', () => {
  fail('')
  ready()
  if ($('text').value && Date.now() - typed > 3000) {
    typed = Date.now()
    line.say({ t: 'typing', on: true, preview: null })
  }
})

function ready() { $('send').disabled = !$('text').value.trim() && !pending.length }
ready()

async function send() {
  const text = $('text').value.trim(), files = pending
  if (new TextEncoder().encode(text).length > 4096) return fail('This message is too long; send it in parts.')
  if (!text && !files.length) return
  fail('')
  $('send').disabled = true
  const session = line.session
  let sent
  try {
    sent = await Promise.all(files.map(f => line.upload(f)))
  } catch (e) {
    ready()
    if (e.name === 'AbortError') return // somebody else speaks by now, or the same person again: the files are still there
    return fail(e.message || 'The file could not be sent.')
  }
  if (files.length && session !== line.session) return ready()
  $('text').value = ''
  pending = []
  chosen()
  typed = 0
  const frame = { t: 'message', text: text || undefined, fileIds: sent.length ? sent.map(f => f.fileId) : undefined }
  speak(frame, sent.map(f => ({ ...f, id: f.fileId })))
}

// speak sends a frame and shows it.
function speak(frame, files) {
  try {
    own(line.send(frame), files)
  } catch (e) { // larger than the server takes
    fail(e.message)
  }
}

function pick(f, choice, kind) {
  speak({ t: 'postback', kind, id: choice.id, title: choice.title, replyTo: f.id })
}

$('file').addEventListener('change', () => { attach($('file').files); $('file').value = '' })
addEventListener('paste', e => { if (e.clipboardData?.files.length) attach(e.clipboardData.files) })
addEventListener('dragover', e => e.preventDefault())
addEventListener('drop', e => { e.preventDefault(); attach(e.dataTransfer?.files || []) })

function attach(files) {
  for (const f of files) {
    if (f.size > 20 << 20) fail(`${f.name} is larger than 20 MB.`)
    else if (pending.length === 10) fail('A message has at most 10 files.')
    else pending.push(f)
  }
  chosen()
}

function chosen() {
  $('files').replaceChildren(...pending.map(f => {
    const li = document.createElement('li'), name = document.createElement('span'), drop = document.createElement('button')
    name.textContent = f.name
    drop.type = 'button'
    drop.textContent = '✕'
    drop.setAttribute('aria-label', `Remove ${f.name}`)
    drop.addEventListener('click', () => { pending = pending.filter(o => o !== f); chosen(); $('text').focus() })
    li.append(name, drop)
    return li
  }))
  $('files').hidden = !pending.length
  ready()
}

function questions() {
  $('compose').hidden = true
  ask($('first'), form, fields => {
    $('compose').hidden = false
    line.store.write('form', true)
    const text = Object.entries(fields || {}).map(([k, v]) => `${k}: ${v}`).join('\n')
    if (fields) speak({ t: 'form', form: 'pre_chat', title: form.title, fields, text })
    $('text').focus()
  })
}

function fail(text) { $('alert').replaceChildren(...links(text)) }

// bright tells whether black is better read on a colour than white (WCAG 2 relative luminance).
function bright(hex) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16) / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179
}

if (embedded) tell({ type: 'ready' })
else line.start(null)
