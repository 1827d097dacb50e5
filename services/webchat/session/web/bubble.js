// One message as an element. What people wrote is only ever text: it becomes text nodes, and links of known kinds.

const element = (name, className, ...children) => {
  const e = Object.assign(document.createElement(name), { className })
  e.append(...children)
  return e
}

const address = /\b(?:https?:\/\/|www\.)[^\s<>"']+[^\s<>"'.,;:!?)\]}]|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\w)\+\d[\d ()/-]{6,}\d/gi

// links turns text into nodes: addresses of the web, of mail and of telephones become links.
export function links(text) {
  const nodes = []
  let from = 0
  for (const m of text.matchAll(address)) {
    const href = m[0].startsWith('+') ? `tel:${m[0].replace(/[^+\d]/g, '')}` : m[0].includes('://') ? m[0] : m[0].includes('@') ? `mailto:${m[0]}` : `https://${m[0]}`
    nodes.push(text.slice(from, m.index), link(href, m[0]))
    from = m.index + m[0].length
  }
  nodes.push(text.slice(from))
  return nodes
}

function link(href, text) {
  let url
  try { url = new URL(href) } catch { return text }
  if (!['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol)) return text
  const a = element('a', '', text)
  a.href = url.href
  a.target = '_blank'
  a.rel = 'noopener noreferrer ugc'
  return a
}

const paragraph = text => {
  const p = element('p', '', ...links(text))
  p.dir = 'auto'
  return p
}

const time = ts => new Intl.DateTimeFormat(undefined, Date.now() - ts < 20 * 3600e3 ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' }).format(ts)

// bubble makes the element of a frame. use.file fetches a file, use.pick says what was chosen, use.quoted finds a
// quoted text.
export function bubble(f, use) {
  const mine = f.author === 'visitor'
  const who = mine ? 'You' : f.name || { bot: 'Assistant', system: '' }[f.author] || (f.author === 'system' ? '' : 'Support')
  const li = element('li', mine ? 'mine' : f.author === 'system' ? 'system' : '')
  Object.assign(li.dataset, { id: f.id || f.clientId, author: `${f.author} ${f.name || ''}`, ts: f.ts, text: f.text || '' })
  const when = element('time', '', time(f.ts))
  when.dateTime = new Date(f.ts).toISOString()
  const body = element('div', 'bubble')
  const quoted = f.quote || (f.replyTo && !mine && use.quoted(f.replyTo))
  if (quoted) body.append(element('blockquote', '', quoted.slice(0, 160)))
  for (const a of f.attachments || []) body.append(attachment(a, use))
  if (f.deleted) body.append(element('p', 'deleted', 'This message was deleted'))
  if (f.text) body.append(paragraph(f.text))
  if (f.location) body.append(place(f.location))
  if (f.interactive) body.append(...choices(f.interactive, use))
  li.append(element('p', 'meta', ...(who ? [who, ' · '] : []), when, ...(f.edited ? [' · edited'] : [])), body)
  return li
}

function place(l) {
  const name = l.name || l.address || `${l.latitude}, ${l.longitude}`
  return element('p', '', '📍 ', link(`https://www.openstreetmap.org/?mlat=${Number(l.latitude)}&mlon=${Number(l.longitude)}#map=16/${Number(l.latitude)}/${Number(l.longitude)}`, name))
}

const shownInPlace = { image: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'], audio: ['audio/'], video: ['video/mp4', 'video/webm'] }

// attachment shows pictures and sounds in place; everything else is a button that saves it. The server gives files only
// to this session, so each is fetched first.
function attachment(a, use) {
  const kinds = shownInPlace[a.type]
  const name = a.name || 'File'
  if (!kinds?.some(k => (a.mime || '').startsWith(k))) return saving(a, name, use)
  const holder = element('div', '')
  use.file(a.id).then(blob => {
    const e = document.createElement(a.type === 'image' ? 'img' : a.type)
    if (a.type === 'image') e.alt = name
    else { e.controls = true; e.setAttribute('aria-label', name) }
    e.src = URL.createObjectURL(blob)
    holder.append(e)
  }).catch(() => holder.append(saving(a, name, use)))
  return holder
}

function saving(a, name, use) {
  const size = a.size ? ` (${a.size < 1e6 ? `${Math.ceil(a.size / 1000)} kB` : `${(a.size / 1e6).toFixed(1)} MB`})` : ''
  const button = element('button', 'file', `📄 ${name}${size}`)
  button.type = 'button'
  button.addEventListener('click', async () => {
    try {
      const save = document.createElement('a')
      save.href = URL.createObjectURL(await use.file(a.id))
      save.download = name
      save.click()
      setTimeout(() => URL.revokeObjectURL(save.href), 60000)
    } catch (e) { button.textContent = `${name}: ${e.message}` }
  })
  return button
}

// choices are the buttons and rows that one may be picked of, once.
function choices(i, use) {
  const out = []
  if (i.header) out.push(element('p', '', element('strong', '', i.header)))
  if (i.body) out.push(paragraph(i.body))
  const picks = element('ul', 'picks')
  const add = (c, kind) => {
    const b = element('button', 'pick', c.title, ...(c.description ? [element('small', '', c.description)] : []))
    b.type = 'button'
    b.addEventListener('click', () => {
      for (const other of picks.querySelectorAll('.pick')) other.disabled = true
      b.setAttribute('aria-pressed', 'true')
      use.pick(c, kind)
    })
    picks.append(element('li', '', c.url ? styled(link(c.url, c.title)) : b))
  }
  for (const c of i.buttons || []) add(c, 'button')
  for (const s of i.sections || []) {
    if (s.title) picks.append(element('li', '', element('h3', '', s.title)))
    for (const c of s.rows) add(c, 'list')
  }
  if (i.url) picks.append(element('li', '', styled(link(i.url, i.button || i.url))))
  if (picks.childElementCount) out.push(picks)
  if (i.footer) out.push(element('p', 'footer', i.footer))
  return out
}

function styled(a) {
  if (a.classList) a.className = 'pick'
  return a
}
