import { mount } from "svelte";
import App from "./App.svelte";
import { keepOffline } from "./offline/register";
import "./view/page.css";

const target = document.getElementById("page");
if (target) mount(App, { target });
keepOffline();
