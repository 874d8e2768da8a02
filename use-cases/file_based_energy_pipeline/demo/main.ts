#!/usr/bin/env node
import { runDemoProgram } from "@aieffect/local-run";
import { demo } from "./demo.ts";

await runDemoProgram(demo);
