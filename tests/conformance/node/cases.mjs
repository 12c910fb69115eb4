// Calls that Node applications make, each with what it gave: `node cases.mjs` reads {stage, replay, key, models, document, recordings}
// from standard input and writes {name: [objects]} to standard output. It decides nothing: the tests compare two runs of it.

import { createOpenAI } from '@ai-sdk/openai'
import { embed, generateObject, generateText, jsonSchema, streamText, tool } from 'ai'
import OpenAI, { AzureOpenAI } from 'openai'

const ends = JSON.parse(await text(process.stdin))
const { writer, reasoner, embedder, replayed } = ends.models
const options = { apiKey: ends.key, maxRetries: 0 }
const plain = new OpenAI({ ...options, baseURL: `${ends.stage}/openai/v1` })
const azure = new AzureOpenAI({ ...options, endpoint: ends.stage, apiVersion: '2024-10-21' })
const replay = new OpenAI({ ...options, baseURL: `${ends.replay}/v1` })
const vercel = createOpenAI({ apiKey: ends.key, baseURL: `${ends.stage}/openai/v1` })

const messages = [{ role: 'system', content: 'Summarise.' }, { role: 'user', content: ends.document }]
const chat = { model: writer, messages }
const schema = {
  type: 'object',
  properties: { title: { type: 'string' }, mode: { type: 'string', enum: ['binary', 'text'] } },
  required: ['title', 'mode'],
  additionalProperties: false,
}
const tools = [{ type: 'function', function: { name: 'file_summary', parameters: schema } }]
const ask = { prompt: ends.document, maxRetries: 0 }
const summary = tool({ description: 'Keep a summary', inputSchema: jsonSchema(schema) })

const cases = {
  'openai chat': () => plain.chat.completions.create(chat),
  'openai chat stream': () => all(plain.chat.completions.create({ ...chat, stream: true })),
  'openai chat stream with usage': () =>
    all(plain.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } })),
  'openai chat with a tool': () => plain.chat.completions.create({ ...chat, tools, tool_choice: 'required' }),
  'openai chat stream with a tool': () => all(plain.chat.completions.create({ ...chat, tools, tool_choice: 'required', stream: true })),
  'openai chat refused': () => plain.chat.completions.create({ ...chat, model: reasoner, max_tokens: 10 }),
  'openai completion': () => plain.completions.create({ model: writer, prompt: ends.document }),
  'openai embedding': () => plain.embeddings.create({ model: embedder, input: [ends.document, 'Another text.'] }),
  'openai response': () => plain.responses.create({ model: writer, input: ends.document }),
  'openai response stream': () => all(plain.responses.create({ model: writer, input: ends.document, stream: true })),
  'openai azure chat': () => azure.chat.completions.create(chat),
  'openai azure chat stream': () => all(azure.chat.completions.create({ ...chat, stream: true })),
  'openai azure embedding': () => azure.embeddings.create({ model: embedder, input: ends.document }),
  'openai azure response': () => azure.responses.create({ model: writer, input: ends.document }),
  'vercel chat': async () => generated(await generateText({ model: vercel.chat(writer), ...ask })),
  'vercel chat stream': () => streamed(streamText({ model: vercel.chat(writer), ...ask })),
  'vercel chat with a tool': async () =>
    generated(await generateText({ model: vercel.chat(writer), ...ask, tools: { summary }, toolChoice: 'required' })),
  'vercel chat with a schema': async () => {
    const { object, usage, finishReason } = await generateObject({ model: vercel.chat(writer), ...ask, schema: jsonSchema(schema) })
    return { object, usage, finishReason }
  },
  'vercel response': async () => generated(await generateText({ model: vercel(writer), ...ask })),
  'vercel response stream': () => streamed(streamText({ model: vercel(writer), ...ask })),
  'vercel response with a tool': async () =>
    generated(await generateText({ model: vercel(writer), ...ask, tools: { summary }, toolChoice: 'required' })),
  'vercel embedding': async () => {
    const { embedding, usage } = await embed({ model: vercel.textEmbedding(embedder), value: ends.document, maxRetries: 0 })
    return { embedding, usage }
  },
}
for (const [name, isStream] of Object.entries(ends.recordings)) {
  const asked = { model: replayed, messages: [{ role: 'user', content: name }] }
  cases[`openai recording: ${name}`] = () =>
    isStream ? all(replay.chat.completions.create({ ...asked, stream: true })) : replay.chat.completions.create(asked)
}

const given = {}
for (const [name, call] of Object.entries(cases)) given[name] = await result(call)
process.stdout.write(JSON.stringify(given))

async function result(call) {
  try {
    const value = await call()
    return Array.isArray(value) ? value : [value]
  } catch (error) {
    return [{ failed: error.name, message: error.message, status: error.status, code: error.code, error: error.error }]
  }
}

async function all(stream) {
  const found = []
  try {
    for await (const each of await stream) found.push(each)
  } catch (error) {
    found.push({ failed: error.name, message: error.message })
  }
  return found
}

function generated({ text, finishReason, usage, toolCalls, response, providerMetadata }) {
  return { text, finishReason, usage, calls: toolCalls.map(({ toolName, input }) => ({ toolName, input })), body: response.body, providerMetadata }
}

async function streamed(result) {
  const parts = []
  for await (const { type, text, finishReason, usage, error } of result.fullStream) {
    parts.push({ type, text, finishReason, usage, error: error?.message })
  }
  return parts
}

async function text(stream) {
  let whole = ''
  for await (const part of stream) whole += part
  return whole
}
