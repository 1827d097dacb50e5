// The loader: a button on the business's page, and behind it the chat in an iframe of our origin, which that page
// cannot look into. <script async src="https://…/chat/CHANNEL/widget.js"></script> is all it needs; options are
// attributes of the script: data-label, data-position="left", data-open.
(() => {
  'use strict'
  const script = document.currentScript
  const base = new URL('.', script.src)
  const id = base.pathname.split('/').filter(Boolean).pop()
  if (window.tributary && window.tributary.channel === id) return
  const label = script.dataset.label || 'Chat with us'
  const side = script.dataset.position === 'left' ? 'left' : 'right'
  const known = `tributary.${id}.known`
  const style = (element, rules) => Object.assign(element.style, rules)

  const button = document.createElement('button')
  const panel = document.createElement('div')
  const badge = document.createElement('span')
  let frame = null, open = false, ready = false, waiting = []

  function build() {
    panel.id = `tributary-${id}`
    panel.hidden = true
    panel.setAttribute('role', 'dialog')
    panel.setAttribute('aria-label', label)
    style(panel, {
      position: 'fixed', zIndex: 2147483000, [side]: '20px', bottom: '92px', width: 'min(384px, calc(100vw - 24px))',
      height: 'min(620px, calc(100dvh - 112px))', borderRadius: '18px', overflow: 'hidden', background: 'Canvas',
      boxShadow: '0 12px 40px rgb(0 0 0 / .22), 0 2px 8px rgb(0 0 0 / .12)',
    })
    button.type = 'button'
    button.setAttribute('aria-expanded', 'false')
    button.setAttribute('aria-controls', panel.id)
    button.setAttribute('aria-label', label)
    style(button, {
      position: 'fixed', zIndex: 2147483001, [side]: '20px', bottom: '20px', width: '58px', height: '58px', border: '0', padding: '0',
      borderRadius: '50%', cursor: 'pointer', background: '#0b5cad', color: '#fff', boxShadow: '0 4px 16px rgb(0 0 0 / .28)',
    })
    button.append(icon())
    badge.hidden = true
    style(badge, {
      position: 'absolute', top: '-4px', [side]: '-4px', minWidth: '22px', height: '22px', boxSizing: 'border-box', padding: '0 6px', borderRadius: '11px',
      background: '#c62828', color: '#fff', font: '600 13px/22px system-ui, sans-serif',
    })
    button.append(badge)
    button.addEventListener('click', () => show(!open))
    document.body.append(panel, button)
    document.addEventListener('keydown', e => { if (e.key === 'Escape' && open) show(false) })
    if (script.dataset.open !== undefined) show(true)
    else if (remembered()) load()
  }

  function icon() {
    const ns = 'http://www.w3.org/2000/svg'
    const svg = document.createElementNS(ns, 'svg')
    const path = document.createElementNS(ns, 'path')
    for (const [k, v] of Object.entries({ viewBox: '0 0 24 24', width: 28, height: 28, 'aria-hidden': 'true' })) svg.setAttribute(k, v)
    path.setAttribute('fill', 'currentColor')
    path.setAttribute('d', 'M12 3C6.9 3 2.8 6.6 2.8 11c0 2.4 1.2 4.5 3.1 6-.1 1.2-.6 2.4-1.5 3.4-.3.3-.1.8.3.8 2 0 3.7-.8 4.9-1.7.8.2 1.6.3 2.4.3 5.1 0 9.2-3.6 9.2-8.8S17.1 3 12 3z')
    svg.append(path)
    return svg
  }

  function remembered() {
    try { return localStorage.getItem(known) !== null } catch { return false }
  }

  function load() {
    if (frame) return
    frame = document.createElement('iframe')
    frame.title = label
    frame.allow = 'clipboard-write'
    frame.src = new URL(`frame?origin=${encodeURIComponent(location.origin)}`, base).href
    style(frame, { width: '100%', height: '100%', border: '0', display: 'block' })
    panel.append(frame)
    say({ type: 'page', ...page() })
  }

  function show(yes) {
    open = yes
    if (yes) {
      load()
      try { localStorage.setItem(known, '1') } catch { /* a page without storage */ }
    }
    panel.hidden = !yes
    button.setAttribute('aria-expanded', String(yes))
    say({ type: yes ? 'open' : 'closed' })
    if (yes) frame.focus()
    else button.focus()
  }

  // What is said before the chat is there waits for it.
  function say(message) {
    if (!frame) return
    if (!ready) waiting.push(message)
    else frame.contentWindow.postMessage({ tributary: id, ...message }, base.origin)
  }

  addEventListener('message', e => {
    if (!frame || e.origin !== base.origin || e.source !== frame.contentWindow || !e.data || e.data.tributary !== id) return
    switch (e.data.type) {
      case 'ready': ready = true; waiting.splice(0).forEach(say); break
      case 'close': show(false); break
      case 'accent': style(button, { background: e.data.accent, color: e.data.text }); break
      case 'unread':
        badge.hidden = !(e.data.count > 0)
        badge.textContent = e.data.count > 9 ? '9+' : String(e.data.count)
        button.setAttribute('aria-label', e.data.count > 0 ? `${label} (${e.data.count} unread)` : label)
        break
    }
  })

  // The visitor's way through a page that changes without loading: at most 50 stations, none named more than once a
  // second.
  const secret = /token|secret|passw|pwd|auth|session|signature|credential|^(sid|sig|key|code|otp|jwt|api_?key)$/i
  let timer = 0, last = '', stations = 0
  function page() {
    const url = new URL(location.href)
    url.hash = ''
    for (const name of [...url.searchParams.keys()]) if (secret.test(name)) url.searchParams.delete(name)
    last = url.href
    return { url: url.href, title: document.title, referrer: document.referrer, ts: Date.now() }
  }
  function moved() {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const before = last, now = page()
      if (now.url !== before && stations++ < 50) say({ type: 'page', ...now })
    }, 1000)
  }
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name]
    history[name] = function (...args) {
      const result = original.apply(this, args)
      moved()
      return result
    }
  }
  addEventListener('popstate', moved)

  window.tributary = {
    channel: id,
    open: () => show(true),
    close: () => show(false),
    // Who the visitor is: a token that the page's server signed with the channel's identity secret, at most 5 minutes
    // old.
    identify: token => { load(); say({ type: 'identify', identity: { token } }) },
    logout: () => say({ type: 'logout' }),
  }
  if (document.body) build()
  else addEventListener('DOMContentLoaded', build)
})()
