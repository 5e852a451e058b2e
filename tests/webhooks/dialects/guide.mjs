// What the guide of PayNow's SDK tells its merchants to do, over lines of JSON.

import crypto from 'node:crypto'
import readline from 'node:readline'

const SECRET = process.argv[2]
const processed = new Set()

function verifyWebhookSignature(payload, signature, secret) {
  const digest = crypto.createHmac('sha256', secret).update(payload).digest('hex')
  return crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(digest))
}

// An item's owner, its product, and what an order was worth: what the guide's examples read.
const read = {
  ON_ORDER_COMPLETED: ({ body }) => ({
    userId: body.customer_id,
    revenue: body.total_amount / 100,
    currency: body.currency,
    products: body.lines.map((line) => line.product_name),
    prices: body.lines.map((line) => line.price * line.quantity),
    name: body.customer.name,
  }),
  ON_DELIVERY_ITEM_ADDED: ({ body }) => ({
    steamId: body.customer.steam_id,
    productName: body.product.name,
  }),
  ON_CHARGEBACK: ({ body }) => ({
    order: body.order_id,
    payment: body.id,
    amount: body.amount,
    status: body.chargeback_status,
    customer: body.customer.id,
  }),
  ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT: ({ body }) => ({
    user: body.discord_user_id,
    product: body.product.name,
  }),
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { signature, payload } = JSON.parse(line)
  if (!verifyWebhookSignature(payload, signature, SECRET)) {
    console.log(JSON.stringify({ status: 401 }))
    continue
  }
  const data = JSON.parse(payload)
  const text = processed.has(data.event_id) ? 'Already processed' : 'OK'
  processed.add(data.event_id)
  const found = read[data.event_type]?.(data) ?? null
  console.log(JSON.stringify({ status: 200, text, found }))
}
