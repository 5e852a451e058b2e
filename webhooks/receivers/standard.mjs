// Receives events: checks who sent them, takes each one once, answers at once.
//
//     WEBHOOK_SECRET=whsec_... node standard.mjs
//
// Node 18 or newer, nothing to install. The event is handled in `handle`, below.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

// While a secret is being rolled: both, with a blank between them.
const SECRETS = process.env.WEBHOOK_SECRET.split(/\s+/).filter(Boolean)
// An empty file for each event that was handled; a unique column of your database is as good.
const DONE = process.env.EVENTS_DONE ?? 'events-done'
const TOLERANCE = 5 * 60 // seconds that the sender's clock and yours may be apart
const LARGEST = 1024 * 1024

// Your part. Whatever takes long belongs into a queue of your own. Events may come twice
// and in any order: the object's `sequence` grows with every change, so one that is smaller
// than what you know is old news.
async function handle(event) {
  const purchase = event.object
  if (event.event === 'payment.success' && purchase.verified !== false) {
    console.log('paid:', purchase.id, purchase.amount, purchase.currency)
  }
}

// The status and the text to answer with.
async function receive(headers, body) {
  const id = headers['webhook-id'] ?? ''
  const stamp = headers['webhook-timestamp'] ?? ''
  if (!isSigned(id, stamp, headers['webhook-signature'] ?? '', body)) {
    return [401, 'The signature is wrong.']
  }
  if (Math.abs(Date.now() / 1000 - Number(stamp)) > TOLERANCE) {
    return [401, 'The letter is too old, or a clock is wrong.']
  }
  let event
  try {
    event = JSON.parse(body.toString('utf8'))
  } catch {
    return [400, 'This is no JSON.']
  }
  if (!claim(id)) return [200, 'Known already.']
  try {
    await handle(event)
  } catch (error) {
    unlinkSync(fileOf(id)) // so that the next try is not a duplicate
    throw error
  }
  return [200, 'Thank you.']
}

// Whether one of the signatures was made with one of the secrets.
function isSigned(id, stamp, given, body) {
  if (!/^[0-9]{1,15}$/.test(stamp)) return false
  const signed = Buffer.concat([Buffer.from(`${id}.${stamp}.`), body])
  let good = false
  for (const secret of SECRETS) {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const made = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
    for (const one of given.split(' ')) {
      const sent = Buffer.from(one)
      if (sent.length === made.length && timingSafeEqual(sent, made)) good = true
    }
  }
  return good
}

// Whether this event is new. Two copies at the same moment: one of them is.
function claim(id) {
  mkdirSync(DONE, { recursive: true })
  try {
    closeSync(openSync(fileOf(id), 'wx'))
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  return true
}

function fileOf(id) {
  return join(DONE, createHash('sha256').update(id).digest('hex'))
}

createServer((request, response) => {
  const parts = []
  let length = 0
  const answer = (status, text) => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.end(text)
  }
  request.on('data', (part) => {
    length += part.length
    if (length <= LARGEST) parts.push(part)
  })
  request.on('end', async () => {
    if (request.method !== 'POST') return answer(405, 'Events are posted.')
    if (length > LARGEST) return answer(413, 'Too large.')
    try {
      // The bytes as they came: JSON that was read and written again differs.
      answer(...(await receive(request.headers, Buffer.concat(parts))))
    } catch (error) {
      console.error('failed:', error)
      answer(500, 'It failed here; send it again.')
    }
  })
}).listen(Number(process.env.PORT ?? 4242), process.env.HOST ?? '127.0.0.1')
