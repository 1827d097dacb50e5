// The questions before the chat, as the channel's settings have them.

const kinds = ['text', 'email', 'tel', 'url', 'number', 'date', 'textarea', 'select', 'checkbox']
const autocomplete = { name: 'name', email: 'email', phone: 'tel', company: 'organization' }

// ask shows the form and hands over the answers; null if there is nothing to ask.
export function ask(form, what, done) {
  const fields = (what.fields || []).filter(f => f && typeof f.name === 'string' && f.name)
  if (!fields.length) return done(null)
  const title = document.createElement('h2')
  title.textContent = what.title || 'Before we start'
  const inputs = fields.map(field)
  const go = document.createElement('button')
  go.type = 'submit'
  go.textContent = what.button || 'Start the chat'
  form.replaceChildren(title, ...inputs.map(i => i.label), go)
  form.hidden = false
  form.setAttribute('aria-label', title.textContent)
  form.addEventListener('submit', e => {
    e.preventDefault()
    form.hidden = true
    done(Object.fromEntries(inputs.map(i => [i.name, i.value()]).filter(([, v]) => v !== '' && v !== false)))
  }, { once: true })
}

function field(f) {
  const kind = kinds.includes(f.type) ? f.type : 'text'
  const label = document.createElement('label')
  const input = document.createElement(kind === 'textarea' || kind === 'select' ? kind : 'input')
  if (input.tagName === 'INPUT') input.type = kind
  if (kind === 'select') for (const o of ['', ...(f.options || [])]) input.append(new Option(String(o), String(o)))
  else if (kind !== 'checkbox') input.maxLength = 500
  input.name = f.name
  input.required = !!f.required
  if (autocomplete[f.name]) input.autocomplete = autocomplete[f.name]
  const text = document.createElement('span')
  text.textContent = (f.label || f.name) + (f.required ? ' *' : '')
  if (kind === 'checkbox') label.className = 'check'
  label.append(...(kind === 'checkbox' ? [input, text] : [text, input]))
  return { name: f.name, label, value: () => kind === 'checkbox' ? input.checked : input.value.trim() }
}
