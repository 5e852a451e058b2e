// Receives events in PayNow's words: checks them, takes each one once, answers.
//
//     WEBHOOK_SECRET=... node paynow.mjs
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
const TOLERANCE = 5 * 60 * 1000 // milliseconds that the sender's clock and yours may be apart
const LARGEST = 1024 * 1024
// Ids of a test begin with this: nothing is handed over for them.
const TESTING = 'test-'

// Your part. Whatever takes long belongs into a queue of your own. Events may come twice and
// in any order.
async function handle(type, body) {
  switch (type) {
    case 'ON_ORDER_COMPLETED':
      if (body.verified === false || body.id.startsWith(TESTING)) return
      console.log('paid:', body.id, body.total_amount, body.currency)
      break
    case 'ON_REFUND':
    case 'ON_CHARGEBACK':
      console.log('take back:', body.order_id)
      break
  }
}

// The status and the text to answer with.
async function receive(headers, body) {
  const problem = whatIsWrong(headers, body)
  if (problem) return [401, problem]
  let event
  try {
    event = JSON.parse(body.toString('utf8'))
  } catch {
    return [400, 'Invalid JSON']
  }
  if (typeof event?.event_id !== 'string') return [400, 'No event_id']
  if (!claim(event.event_id)) return [200, 'Already processed']
  try {
    await handle(event.event_type, event.body)
  } catch (error) {
    unlinkSync(fileOf(event.event_id)) // so that the next try is not a duplicate
    throw error
  }
  return [200, 'OK']
}

// Why the letter cannot be believed; '' when it can. The live signature covers time and body;
// the other one covers the body alone, and proves nothing about its age.
function whatIsWrong(headers, body) {
  const live = headers['paynow-signature']
  if (live === undefined) {
    const given = Buffer.from(headers['x-paynow-signature'] ?? '', 'hex')
    return fits(given, body) ? '' : 'Invalid signature'
  }
  const stamp = headers['paynow-timestamp'] ?? ''
  if (!/^[0-9]{1,15}$/.test(stamp)) return 'Invalid timestamp'
  const signed = Buffer.concat([Buffer.from(`${stamp}.`), body])
  if (!fits(Buffer.from(live, 'base64'), signed)) return 'Invalid signature'
  const apart = Math.abs(Date.now() - Number(stamp))
  return apart > TOLERANCE ? 'Too old, or a clock is wrong' : ''
}

function fits(given, signed) {
  let good = false
  for (const secret of SECRETS) {
    const made = createHmac('sha256', secret).update(signed).digest()
    if (given.length === made.length && timingSafeEqual(given, made)) good = true
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
    if (request.method !== 'POST') return answer(405, 'Events are posted')
    if (length > LARGEST) return answer(413, 'Too large')
    try {
      // The bytes as they came: JSON that was read and written again differs.
      answer(...(await receive(request.headers, Buffer.concat(parts))))
    } catch (error) {
      console.error('failed:', error)
      answer(500, 'Error processing webhook')
    }
  })
}).listen(Number(process.env.PORT ?? 4242), process.env.HOST ?? '127.0.0.1')
