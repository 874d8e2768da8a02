import { describe, expect, it } from "vitest";
import { internalsIn } from "./leaks.ts";

describe("what a reply shows of the inside", () => {
  it.each([
    ["a Python stack", '{"detail":"Traceback (most recent call last):\\n  File \\"/app/main.py\\", line 3"}'],
    ["a JavaScript stack", '{"error":"TypeError: x\\n    at run (/srv/app/dist/main.js:10:5)"}'],
    ["a JavaScript stack", '{"error":"    at node:internal/process/task_queues:95:5"}'],
    ["a JavaScript stack", '{"error":"at Object.<anonymous> (C:\\\\app\\\\main.js:1:7)"}'],
    [
      "a Java stack",
      '{"trace":"java.lang.NullPointerException\\n\\tat com.acme.Service.run(Service.java:42)"}',
    ],
    ["a Go stack", "panic: x\n\ngoroutine 7 [running]:\nmain.main()"],
    ["a Rust panic", "thread 'main' panicked at src/main.rs:4:5"],
    ["a .NET stack", "   at Acme.Run() in /src/Run.cs:line 12"],
    ["the path of a library", "see /usr/lib/python3.11/site-packages/httpx/_client.py"],
    ["the path of a source file", '{"detail":"error in /app/handlers/train.py"}'],
    ["the path of a source file", '{"detail":"C:\\\\service\\\\app\\\\main.py failed"}'],
    ["the environment", '{"env":{"PATH":"/usr/local/bin:/usr/bin"}}'],
    ["the environment", "HOME=/root\nDATA_DIR=/data"],
  ])("finds %s", (what, body) => {
    expect(internalsIn(body)?.what).toBe(what);
  });

  it.each([
    '{"detail":"Task not found"}',
    '{"detail":[{"type":"missing","loc":["body","method"],"msg":"Field required","input":{},"url":"https://errors.pydantic.dev/2.5/v/missing"}]}',
    '{"status":"complete","output":{"protocol":"file","uri":"/data/wf-1/task_1/raw.csv","format":"csv"}}',
    '{"status":"failed","error":"The file /data/in.csv was not found at line 12"}',
    '{"output":{"protocol":"http","uri":"http://loader:8080/control/data/a.js","format":"json"}}',
    '{"detail":"Expected HOME: a text"}',
    '{"status":"failed","error":"Erwartet wurde eine Zahl, gefunden: x"}',
  ])("leaves %s alone", (body) => {
    expect(internalsIn(body)).toBeUndefined();
  });
});
