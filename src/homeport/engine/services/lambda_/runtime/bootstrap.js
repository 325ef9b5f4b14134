// The runtime interface client of Node functions. It runs inside the container, on the container's Node.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');
const url = require('url');
const util = require('util');

const API = '/2018-06-01/runtime';
const NEWLINE = '\x1e'; // stands for a newline within one log event, and begins an event that has some
const DONE = '\x1f'; // begins the line that ends an invocation's log: the request's id, and the KB of memory used at most
const [HOST, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');

let requestId = '';
let failInvocation = null;

async function main() {
  patchConsole();
  process.on('uncaughtException', (error) => crash(error));
  process.on('unhandledRejection', (reason) => {
    const error = new Error(`${reason && reason.stack ? reason.message : reason}`);
    error.name = 'Runtime.UnhandledPromiseRejection';
    error.stack = reason && reason.stack ? reason.stack : error.stack;
    crash(error);
  });
  let handler;
  try {
    handler = await load(process.env._HANDLER);
  } catch (error) {
    await initError(error);
    return;
  }
  for (;;) {
    await answer(handler);
  }
}

async function answer(handler) {
  const next = await call('GET', '/invocation/next');
  if (next.status !== 200) {
    process.exit(1);
  }
  requestId = next.headers['lambda-runtime-aws-request-id'];
  process.env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] || '';
  let where = 'response';
  let body;
  try {
    const result = await run(handler, JSON.parse(next.body), contextOf(next.headers));
    body = marshalled(result);
  } catch (error) {
    where = 'error';
    body = JSON.stringify(faultOf(error));
    say(`${new Date().toISOString()}\t${requestId}\tERROR\tInvoke Error \t${body}`);
  }
  sayDone();
  await call('POST', `/invocation/${requestId}/${where}`, body);
}

// The result of a handler: of its promise, of its callback, or undefined once nothing more can happen.
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    let told = null;
    const idle = () => settle(told || [null, undefined]);
    const settle = ([error, value]) => {
      process.removeListener('beforeExit', idle);
      failInvocation = null;
      error ? reject(error) : resolve(value);
    };
    const callback = (error, value) => {
      told = told || [error, value];
      if (!context.callbackWaitsForEmptyEventLoop) {
        settle(told);
      }
    };
    context.done = callback;
    context.succeed = (value) => settle([null, value]);
    context.fail = (error) => settle([error || new Error('handled'), null]);
    failInvocation = (error) => settle([error, null]);
    process.on('beforeExit', idle);
    let returned;
    try {
      returned = handler(event, context, callback);
    } catch (error) {
      settle([error, null]);
      return;
    }
    if (returned && typeof returned.then === 'function') {
      returned.then((value) => settle([null, value]), (error) => settle([error || new Error(String(error)), null]));
    }
  });
}

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const client = headers['lambda-runtime-client-context'];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    clientContext: client ? JSON.parse(client) : undefined,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

async function load(name) {
  const folder = path.dirname(name);
  const [module, ...rest] = path.basename(name).split('.');
  if (!rest.length) {
    throw fault('Runtime.MalformedHandlerName', `Bad handler '${name}'`);
  }
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT, folder, module);
  const file = ['', '.js', '.mjs', '.cjs'].map((suffix) => base + suffix).find(
    (one) => fs.existsSync(one) && fs.statSync(one).isFile()
  );
  if (!file) {
    throw fault('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  }
  let loaded;
  try {
    loaded = isEsModule(file) ? await import(url.pathToFileURL(file).href) : require(file);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw fault('Runtime.UserCodeSyntaxError', `${error}`, error);
    }
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') {
      throw fault('Runtime.ImportModuleError', `${error}`, error);
    }
    throw error;
  }
  const handler = rest.reduce((value, key) => (value === undefined ? value : value[key]), loaded);
  if (handler === undefined) {
    throw fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw fault('Runtime.HandlerNotFound', `${name} is not a function`);
  }
  return handler;
}

function isEsModule(file) {
  if (!file.endsWith('.js')) {
    return file.endsWith('.mjs');
  }
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (fs.existsSync(manifest)) {
      return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module';
    }
    if (folder === path.dirname(folder)) {
      return false;
    }
  }
}

function fault(name, message, cause) {
  const error = new Error(message);
  error.name = name;
  error.stack = cause && cause.stack ? cause.stack : error.stack;
  return error;
}

function faultOf(error) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return { errorType: error.name, errorMessage: error.message, trace: String(error.stack || '').split('\n') };
}

function marshalled(result) {
  try {
    const text = JSON.stringify(result);
    return text === undefined ? 'null' : text;
  } catch (error) {
    throw fault('Runtime.MarshalError', `Unable to stringify response body: ${error}`, error);
  }
}

async function initError(error) {
  const told = faultOf(error);
  say(`${new Date().toISOString()}\tundefined\tERROR\tUncaught Exception \t${JSON.stringify(told)}`);
  await call('POST', '/init/error', JSON.stringify(told), { 'Lambda-Runtime-Function-Error-Type': told.errorType });
  process.exit(1);
}

// An error that nothing caught ends the invocation and the process.
async function crash(error) {
  if (!failInvocation) {
    await initError(error);
    return;
  }
  const told = JSON.stringify(faultOf(error));
  say(`${new Date().toISOString()}\t${requestId}\tERROR\tUncaught Exception \t${told}`);
  sayDone();
  await call('POST', `/invocation/${requestId}/error`, told);
  process.exit(129);
}

function patchConsole() {
  for (const [method, level] of [['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['warn', 'WARN'],
    ['error', 'ERROR'], ['trace', 'TRACE']]) {
    console[method] = (...values) => {
      say(`${new Date().toISOString()}\t${requestId || undefined}\t${level}\t${util.format(...values)}`);
    };
  }
}

function sayDone() {
  process.stdout.write(`${DONE}${requestId} ${process.resourceUsage().maxRSS}\n`);
}

function say(text) {
  const event = text.includes('\n') ? NEWLINE + text.replace(/\n/g, NEWLINE) : text;
  process.stdout.write(`${event}\n`);
}

function call(method, where, body, headers) {
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port: PORT, path: API + where, method, agent: false, headers: headers || {} };
    if (body !== undefined) {
      options.headers = { ...options.headers, 'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body) };
    }
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers,
        body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

main().catch(() => process.exit(1));
